//! `GET /users` with search tags, and `GET /user/search/tags`.

use super::{code, ids, listed, method, passkey, password, person, provider, save, with_tenant, within};
use crate::app::TestApp;
use serde_json::json;

/// One user per recipe, and one whose login methods would match only in combination.
async fn people() -> TestApp {
    let app = TestApp::new().await;
    with_tenant(&app, "t1").await;
    let both = person([method("both", 5, password("jo@x.io")), method("b2", 6, provider("GitHub", "1", "z@y.io"))]);
    for user in [
        person([method("jane", 1, password("jane@example.org"))]),
        person([method("joe", 2, provider("google", "g1", "joe@example.org"))]),
        person([method("jim", 3, code(Some("jim@mail.com"), Some("+49170")))]),
        person([method("phone", 3, code(None, Some("+49171")))]),
        person([within(method("far", 4, password("jane@far.org")), &["t1"])]),
        both,
    ] {
        save(&app, &[], &[&user]).await;
    }
    app
}

#[tokio::test]
async fn tags_are_combined_on_one_login_method() {
    let app = people().await;
    for (query, expected) in [
        ("email=JA", vec!["jane"]),
        ("email=j", vec!["jane", "joe", "jim", "both"]),
        ("email=j&timeJoinedOrder=DESC", vec!["both", "jim", "joe", "jane"]),
        ("email=example.org", vec!["jane", "joe"]),
        ("email=exam%3B%20mail%20", vec!["jane", "joe", "jim"]),
        ("email=%25", vec![]),
        ("email=ane", vec![]),
        ("phone=%2B4917", vec!["phone", "jim"]),
        ("phone=%2B49%20(17)1", vec!["phone"]),
        ("phone=%2B49170&email=j", vec!["jim"]),
        ("phone=%2B49171&email=j", vec![]),
        ("provider=GOO", vec!["joe"]),
        ("provider=g", vec!["joe", "both"]),
        ("provider=g&email=j", vec!["joe"]),
        ("provider=g&email=z%40", vec!["both"]),
        ("provider=g&phone=%2B49", vec![]),
        ("provider=g&phone=%2B49&email=j", vec![]),
        ("email=j&includeRecipeIds=thirdparty&limit=1", vec!["jane", "joe", "jim", "both"]),
        ("email=j&limit=9999", vec!["jane", "joe", "jim", "both"]),
        ("email=%3B%20&limit=2", vec!["jane", "joe"]),
    ] {
        assert_eq!(listed(&app, &format!("/users?{query}")).await, expected, "{query}");
    }
    assert_eq!(listed(&app, "/t1/users?email=j").await, ["far"]);
}

#[tokio::test]
async fn a_search_finds_at_most_a_thousand_and_has_no_second_page() {
    let app = TestApp::new().await;
    let many: Vec<_> =
        (0..1100).map(|n| person([method(&format!("u{n}"), n, password(&format!("u{n}@x.io")))])).collect();
    save(&app, &[], &many.iter().collect::<Vec<_>>()).await;
    for query in ["email=u", "email=x.i", "email=u;x"] {
        let found = app.get(&format!("/users?{query}&limit=10")).await.ok().json();
        assert_eq!(found["users"].as_array().map(Vec::len), Some(1000), "{query}");
        assert_eq!(found.get("nextPaginationToken"), None, "{query}");
    }
}

#[tokio::test]
async fn the_tags_are_named() {
    let app = TestApp::new().await;
    let tags = json!({"status": "OK", "tags": ["email", "phone", "provider"]});
    assert_eq!(app.get("/user/search/tags").await.json(), tags);
    assert_eq!(app.get("/nope/user/search/tags").await.json(), tags);
}

#[tokio::test]
async fn signs_have_no_meaning_of_their_own_and_passkeys_are_found_too() {
    let app = people().await;
    save(&app, &[], &[&person([method("key", 7, passkey("key@mail.com", "AbC"))])]).await;
    save(&app, &[], &[&person([method("under", 8, password("a_b@x.io"))])]).await;
    for (query, expected) in [
        ("email=key", vec!["key"]),
        ("email=mail", vec!["jim", "key"]),
        ("email=key&provider=g", vec![]),
        ("email=key&phone=%2B", vec![]),
        ("email=a_", vec!["under"]),
        ("email=a_b%40x.io", vec!["under"]),
        ("email=_", vec![]),
        ("email=ja_e", vec![]),
        ("email=ja%25", vec![]),
        ("email=%40mail", vec![]),
        ("email=jim%40mail.com", vec!["jim"]),
        ("provider=google%3A%3Ag1", vec![]),
        ("provider=google", vec!["joe"]),
        ("provider=GIT%3B%20%3B%20Goo", vec!["joe", "both"]),
        ("phone=4917", vec![]),
        ("phone=%2B49171%3B%2B49170", vec!["phone", "jim"]),
    ] {
        assert_eq!(listed(&app, &format!("/users?{query}")).await, expected, "{query}");
    }
}

#[tokio::test]
async fn a_token_does_nothing_in_a_search_but_has_to_be_one() {
    let app = people().await;
    let everybody = vec!["jane", "joe", "jim", "both"];
    // The position of the last user to join: nobody else comes after it.
    for token in ["Ym90aDs1", "ejs5OQ=="] {
        assert_eq!(listed(&app, &format!("/users?email=j&paginationToken={token}")).await, everybody, "{token}");
        assert!(listed(&app, &format!("/users?paginationToken={token}")).await.len() < 2, "{token}");
    }
    for bad in ["", "YQ=="] {
        let reply = app.get(&format!("/users?email=j&paginationToken={bad}")).await;
        reply.is_text(400, "invalid pagination token");
    }
    app.get("/users?email=j&includeRecipeIds=nope").await.is_text(400, "Unknown recipe ID: nope");
    app.get("/users?email=j&timeJoinedOrder=UP").await.is_text(400, "timeJoinedOrder can be either ASC OR DESC");
}

#[tokio::test]
async fn tags_of_nothing_leave_pages_as_they_are() {
    let app = people().await;
    let page = app.get("/users?email=%3B&phone=%20&provider=&limit=2&includeRecipeIds=passwordless").await.ok().json();
    assert_eq!(ids(&page), ["phone", "jim"]);
    let page = app.get("/users?email=%3B&phone=%20&provider=&limit=2").await.ok().json();
    assert_eq!(ids(&page), ["jane", "joe"]);
    assert!(page["nextPaginationToken"].is_string());
}

#[tokio::test]
async fn every_version_searches_and_shows_what_it_finds_as_it_lists_users() {
    let app = people().await;
    for version in ["2.7", "2.20", "3.1", "4.0"] {
        let found = app.get("/users?email=j&provider=goo").cdi(version).await.ok().json();
        assert_eq!(ids(&found), ["joe"], "{version}");
        assert_eq!(found["users"][0].get("recipeId").is_some(), version != "4.0", "{version}");
        let tags = app.get("/user/search/tags").cdi(version).await.ok().json();
        assert_eq!(tags["tags"], json!(["email", "phone", "provider"]), "{version}");
    }
}
