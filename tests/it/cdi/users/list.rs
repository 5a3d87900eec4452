//! `GET /users`: fields, filters and shapes.

use super::{code, ids, listed, method, passkey, password, person, provider, save, with_tenant, within};
use crate::app::TestApp;
use crate::people::mapped;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

#[tokio::test]
async fn bad_input_gets_the_protocols_sentences() {
    let app = TestApp::new().await;
    for (query, sentence) in [
        ("includeRecipeIds=emailpassword,nope", "Unknown recipe ID: nope"),
        ("limit=x", "Field name 'limit' must be an int in the GET request"),
        ("limit=", "Field name 'limit' must be an int in the GET request"),
        ("limit=1.5", "Field name 'limit' must be an int in the GET request"),
        ("limit=2147483648", "Field name 'limit' must be an int in the GET request"),
        ("limit=-2147483648", "limit must a positive integer with min value 1"),
        ("limit=2147483647", "max limit allowed is 500"),
        ("limit=0", "limit must a positive integer with min value 1"),
        ("limit=-3&email=x", "limit must a positive integer with min value 1"),
        ("limit=501", "max limit allowed is 500"),
        ("limit=501&email=;", "max limit allowed is 500"),
        ("timeJoinedOrder=asc", "timeJoinedOrder can be either ASC OR DESC"),
        ("timeJoinedOrder=", "timeJoinedOrder can be either ASC OR DESC"),
        ("timeJoinedOrder=DESC,ASC", "timeJoinedOrder can be either ASC OR DESC"),
        ("paginationToken=", "invalid pagination token"),
        ("paginationToken=%25", "invalid pagination token"),
        ("paginationToken=YTti", "invalid pagination token"),
        ("paginationToken=YTsxOzI=", "invalid pagination token"),
        ("paginationToken=YQ==", "invalid pagination token"),
    ] {
        app.get(&format!("/users?{query}")).await.is_text(400, sentence);
    }
    assert_eq!(app.get("/users").await.ok().json(), json!({"status": "OK", "users": []}));
    app.get("/nope/users").await.is_text(
        400,
        "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination \
         not found: (, public, nope)",
    );
}

#[tokio::test]
async fn equal_times_are_listed_by_id_descending_in_both_orders() {
    let app = TestApp::new().await;
    for (id, joined) in [("a", 5), ("b", 5), ("c", 5), ("d", 1), ("e", 9)] {
        save(&app, &[], &[&person([method(id, joined, password(&format!("{id}@x.io")))])]).await;
    }
    assert_eq!(listed(&app, "/users").await, ["d", "c", "b", "a", "e"]);
    assert_eq!(listed(&app, "/users?timeJoinedOrder=DESC").await, ["e", "c", "b", "a", "d"]);
}

#[tokio::test]
async fn the_token_names_the_first_item_of_the_next_page() {
    let app = TestApp::new().await;
    for (id, joined) in [("a", 1), ("b", 2), ("c", 2)] {
        save(&app, &[], &[&person([method(id, joined, password(&format!("{id}@x.io")))])]).await;
    }
    let first = app.get("/users?limit=2").await.ok().json();
    assert_eq!(ids(&first), ["a", "c"]);
    assert_eq!(first["nextPaginationToken"], STANDARD.encode("b;2"));
    let second = app.get("/users?limit=2&paginationToken=YjsyCg").await;
    second.is_text(400, "invalid pagination token");
    let second = app.get(&format!("/users?limit=2&paginationToken={}", STANDARD.encode("b;2"))).await.ok().json();
    assert_eq!((ids(&second), second.get("nextPaginationToken")), (vec!["b".to_owned()], None));
    assert_eq!(app.get("/users?limit=3").await.ok().json().get("nextPaginationToken"), None, "no empty last page");
    // a position, not a row
    let at = |text: &str| format!("/users?paginationToken={}", STANDARD.encode(text).trim_end_matches('='));
    assert_eq!(listed(&app, &at("bb;2")).await, ["b"]);
    assert_eq!(listed(&app, &at("z;1")).await, ["a", "c", "b"]);
    assert_eq!(listed(&app, &at("z;-7")).await, ["a", "c", "b"]);
    assert_eq!(listed(&app, &format!("{}&timeJoinedOrder=DESC", at("b;2"))).await, ["b", "a"]);
    assert_eq!(listed(&app, &format!("{}&timeJoinedOrder=DESC", at("b;-2"))).await, Vec::<String>::new());
    assert_eq!(listed(&app, &at(&format!("z;{}", i64::MAX))).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_person_is_listed_once_and_only_for_methods_of_the_tenant() {
    let app = TestApp::new().await;
    with_tenant(&app, "t1").await;
    let both = person([
        method("a", 5, password("a@x.io")),
        within(method("b", 3, provider("google", "g", "a@x.io")), &["t1"]),
        method("c", 9, code(None, Some("+49170"))),
    ]);
    save(&app, &[], &[&both]).await;
    save(&app, &[], &[&person([within(method("d", 4, password("d@x.io")), &["t1"])])]).await;
    save(&app, &[], &[&person([within(method("e", 4, password("e@x.io")), &[])])]).await;
    assert_eq!(listed(&app, "/users").await, ["a"]);
    assert_eq!(listed(&app, "/t1/users").await, ["a", "d"]);
    assert_eq!(listed(&app, "/t1/users?includeRecipeIds=thirdparty").await, ["a"]);
    assert_eq!(listed(&app, "/t1/users?includeRecipeIds=EmailPassword").await, ["d"]);
    assert_eq!(listed(&app, "/users?includeRecipeIds=thirdparty").await, Vec::<String>::new());
    assert_eq!(listed(&app, "/users?includeRecipeIds=thirdparty,%20passwordless,").await, ["a"]);
    assert_eq!(listed(&app, "/users?includeRecipeIds=session").await, Vec::<String>::new());
    assert_eq!(listed(&app, "/users?includeRecipeIds=,").await, ["a"]);
    let user = app.get("/t1/users?limit=1").await.ok().json();
    assert_eq!(user["users"][0]["loginMethods"].as_array().map(Vec::len), Some(3), "methods are complete: {user}");
}

#[tokio::test]
async fn before_account_linking_the_first_method_stands_beside_its_recipe() {
    let app = TestApp::new().await;
    let jane = person([method("a", 5, password("a@x.io")), method("b", 3, provider("google", "g", "a@x.io"))]);
    save(&app, &[], &[&jane]).await;
    let user = json!({"id": "b", "timeJoined": 3, "tenantIds": ["public"], "email": "a@x.io",
        "thirdParty": {"id": "google", "userId": "g"}});
    let listed = app.get("/users").cdi("3.1").await.ok().json();
    assert_eq!(listed, json!({"status": "OK", "users": [{"recipeId": "thirdparty", "user": user}]}));
    let listed = app.get("/users").cdi("2.21").await.ok().json();
    assert_eq!(listed["users"][0]["user"].get("tenantIds"), None);
    let listed = app.get("/users").cdi("4.0").await.ok().json();
    assert_eq!((&listed["users"][0]["id"], listed["users"][0].get("recipeId")), (&json!("a"), None));
}

#[tokio::test]
async fn a_page_has_a_hundred_users_unless_another_number_is_asked_for() {
    let app = TestApp::new().await;
    let one = |n: u64| person([method(&format!("u{n:03}"), n, password(&format!("u{n}@x.io")))]);
    let many: Vec<_> = (0..501).map(one).collect();
    save(&app, &[], &many.iter().collect::<Vec<_>>()).await;
    for (query, count) in [("", 100), ("?limit=1", 1), ("?limit=500", 500), ("?limit=7&limit=0", 7)] {
        let page = app.get(&format!("/users{query}")).await.ok().json();
        assert_eq!(ids(&page).len(), count, "{query}");
        assert_eq!(page["nextPaginationToken"], STANDARD.encode(format!("u{count:03};{count}")), "{query}");
    }
}

#[tokio::test]
async fn every_recipe_may_be_named_in_any_case_and_four_have_users() {
    let app = TestApp::new().await;
    for user in [
        person([method("p", 1, password("p@x.io"))]),
        person([method("t", 2, provider("google", "g", "t@x.io"))]),
        person([method("c", 3, code(Some("c@x.io"), None))]),
        person([method("w", 4, passkey("w@x.io", "AbC"))]),
    ] {
        save(&app, &[], &[&user]).await;
    }
    for (name, id) in [("emailpassword", "p"), ("thirdparty", "t"), ("passwordless", "c"), ("webauthn", "w")] {
        for name in [name.to_owned(), name.to_uppercase()] {
            assert_eq!(listed(&app, &format!("/users?includeRecipeIds={name}")).await, [id], "{name}");
            let counted = app.get(&format!("/users/count?includeRecipeIds={name}")).await.ok().json();
            assert_eq!(counted["count"], 1, "{name}");
            assert_eq!(listed(&app, &format!("/users?includeRecipeIds=session,{name}")).await, [id], "{name}");
        }
    }
    for name in [
        "session",
        "emailverification",
        "jwt",
        "usermetadata",
        "userroles",
        "useridmapping",
        "dashboard",
        "totp",
        "multitenancy",
        "accountlinking",
        "mfa",
        "oauth",
        "saml",
    ] {
        for name in [name.to_owned(), name.to_uppercase()] {
            assert_eq!(listed(&app, &format!("/users?includeRecipeIds={name}")).await, [""; 0], "{name}");
        }
    }
}

#[tokio::test]
async fn users_are_shown_by_mapped_ids_and_tokens_name_internal_ones() {
    let app = TestApp::new().await;
    let jane =
        person([mapped("z-jane", method("a", 5, password("a@x.io"))), method("a2", 6, code(None, Some("+49170")))]);
    let joe = person([mapped("a-joe", method("b", 5, password("b@x.io")))]);
    save(&app, &[], &[&jane, &joe]).await;
    for order in ["ASC", "DESC"] {
        let first = app.get(&format!("/users?limit=1&timeJoinedOrder={order}")).await.ok().json();
        assert_eq!(ids(&first), ["a-joe"], "ties are broken by the internal id");
        assert_eq!(first["nextPaginationToken"], STANDARD.encode("a;5"));
        let token = STANDARD.encode("a;5");
        let second = app.get(&format!("/users?limit=1&timeJoinedOrder={order}&paginationToken={token}")).await.ok();
        assert_eq!(ids(&second.json()), ["z-jane"]);
    }
    for version in ["2.7", "3.1"] {
        let page = app.get("/users").cdi(version).await.ok().json();
        assert_eq!(ids(&page), ["a-joe", "z-jane"], "{version}");
        assert_eq!(page["users"][1]["recipeId"], "emailpassword", "{version}");
        assert_eq!(page["users"][1].get("id"), None, "{version}");
    }
    for version in ["4.0", "5.2", "5.3"] {
        let page = app.get("/users").cdi(version).await.ok().json();
        assert_eq!(ids(&page), ["a-joe", "z-jane"], "{version}");
        assert_eq!(page["users"][1]["loginMethods"][0]["recipeUserId"], "z-jane", "{version}");
        assert_eq!(page["users"][1].get("webauthn").is_some(), version == "5.3", "{version}");
    }
}

#[tokio::test]
async fn a_place_may_be_anything_that_reads_like_one() {
    let app = TestApp::new().await;
    save(&app, &[], &[&person([method("a", 5, password("a@x.io"))])]).await;
    for (place, found) in [
        (format!("{};5", "z".repeat(5000)), true),
        (format!("{};5", "A".repeat(5000)), false),
        ("\0;5".to_owned(), false),
        (";5".to_owned(), false),
        (";4".to_owned(), true),
        ("ü;4;".to_owned(), true),
        (format!("a;{}", i64::MIN), true),
    ] {
        let token = STANDARD.encode(&place).replace('+', "%2B");
        let expected: &[&str] = if found { &["a"] } else { &[] };
        assert_eq!(listed(&app, &format!("/users?paginationToken={token}")).await, expected, "{place}");
    }
    for bad in ["5", "a;", ";", "a;5;6", "a; 5", "a;0x5", "a;5.0", "a;9223372036854775808"] {
        let reply = app.get(&format!("/users?paginationToken={}", STANDARD.encode(bad))).await;
        reply.is_text(400, "invalid pagination token");
    }
    let no_utf8 = app.get(&format!("/users?paginationToken={}", STANDARD.encode(b"\xff;5"))).await;
    no_utf8.is_text(400, "invalid pagination token");
}
