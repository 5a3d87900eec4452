//! `GET /recipe/session/user`.

use crate::app::TestApp;
use serde_json::json;

async fn handles(app: &TestApp, query: &str) -> Vec<String> {
    let reply = app.get(&format!("/recipe/session/user?{query}")).await.ok().json();
    serde_json::from_value(reply["sessionHandles"].clone()).expect("handles")
}

#[tokio::test]
async fn it_lists_live_sessions_of_the_user_alone() {
    let app = TestApp::new().await;
    assert_eq!(app.get("/recipe/session/user?userId=u").await.json(), json!({"status": "OK", "sessionHandles": []}));
    let mut own = vec![app.session("u").await.handle(), app.session("u").await.handle()];
    app.session("v").await;
    app.session("u2").await;
    own.sort();
    for flags in ["", "&fetchAcrossAllTenants=false", "&fetchSessionsForAllLinkedAccounts=false"] {
        let mut listed = handles(&app, &format!("userId=u{flags}")).await;
        listed.sort();
        assert_eq!(listed, own, "{flags}");
    }
}

#[tokio::test]
async fn expired_sessions_are_not_listed() {
    let app = TestApp::new().await;
    let handle = app.session("u").await.handle();
    app.clock.advance(144_000 * 60_000 - 1);
    assert_eq!(handles(&app, "userId=u").await, [handle]);
    app.clock.advance(2);
    assert!(handles(&app, "userId=u").await.is_empty());
}
