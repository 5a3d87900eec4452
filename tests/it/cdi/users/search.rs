//! `GET /users` with search tags, and `GET /user/search/tags`.

use super::{code, listed, method, password, person, provider, save, with_tenant, within};
use crate::app::TestApp;
use serde_json::json;

/// One user per recipe, and one whose login methods would match only together.
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
