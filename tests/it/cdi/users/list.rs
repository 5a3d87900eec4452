//! `GET /users`: fields, filters and shapes.

use super::{code, ids, listed, method, password, person, provider, save, with_tenant, within};
use crate::app::TestApp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

#[tokio::test]
async fn bad_input_gets_the_protocols_sentences() {
    let app = TestApp::new().await;
    for (query, sentence) in [
        ("includeRecipeIds=emailpassword,nope", "Unknown recipe ID: nope"),
        ("limit=x", "Field name 'limit' must be an int in the GET request"),
        ("limit=0", "limit must a positive integer with min value 1"),
        ("limit=-3&email=x", "limit must a positive integer with min value 1"),
        ("limit=501", "max limit allowed is 500"),
        ("limit=501&email=;", "max limit allowed is 500"),
        ("timeJoinedOrder=asc", "timeJoinedOrder can be either ASC OR DESC"),
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
