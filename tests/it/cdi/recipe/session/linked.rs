//! Sessions of users with several login methods, and with external ids.

use super::{refresh, verify};
use crate::app::{TestApp, TestReply};
use crate::people::{by_password, by_provider, mapped};
use serde_json::{Value, json};

/// "mine" (a) with b linked to it.
async fn pair() -> TestApp {
    let app = TestApp::new().await;
    app.people([mapped("mine", by_password("a", 1, "a@x.io")), by_provider("b", 2, "b@x.io")]).await;
    app.group(&["a", "b"]).await;
    app
}

fn who(reply: &TestReply) -> [Value; 2] {
    let session = reply.json()["session"].clone();
    [session["userId"].clone(), session["recipeUserId"].clone()]
}

async fn handles(app: &TestApp, query: &str) -> Vec<String> {
    let reply = app.get(&format!("/recipe/session/user?{query}")).await.ok().json();
    let mut handles: Vec<String> = serde_json::from_value(reply["sessionHandles"].clone()).expect("handles");
    handles.sort();
    handles
}

#[tokio::test]
async fn a_session_names_the_primary_user_and_the_login_method() {
    let app = pair().await;
    for (given, user, method) in [("b", "mine", "b"), ("a", "mine", "mine"), ("mine", "mine", "mine"), ("x", "x", "x")]
    {
        let created = app.session(given).await;
        assert_eq!(who(&created), [user, method], "{given}");
        let verified = verify(&app, "5.6", &created.access_token()).await.ok();
        assert_eq!(who(&verified), [user, method], "{given}");
        let refreshed = refresh(&app, "5.6", &created.refresh_token()).await.ok();
        assert_eq!(who(&refreshed), [user, method], "{given}");
        let shown = app.get(&format!("/recipe/session?sessionHandle={}", created.handle())).await.ok().json();
        assert_eq!([&shown["userId"], &shown["recipeUserId"]], [user, method]);
    }
    let old = app.post("/recipe/session", crate::app::new_session("b")).cdi("3.1").await.ok();
    assert_eq!(who(&old), [json!("mine"), Value::Null], "below 4.0 only the primary user is named");
}

#[tokio::test]
async fn a_living_session_follows_the_users_new_id() {
    for version in ["4.0", "5.6"] {
        let app = TestApp::new().await;
        app.people([by_password("a", 1, "a@x.io")]).await;
        let created = app.session("a").await;
        let map = json!({"superTokensUserId": "a", "externalUserId": "mine", "force": true});
        app.post("/recipe/userid/map", map).await.ok();
        let shown = app.get(&format!("/recipe/session?sessionHandle={}", created.handle())).await.ok().json();
        assert_eq!([&shown["userId"], &shown["recipeUserId"]], ["mine", "a"]);
        let regenerate = json!({"accessToken": created.access_token(), "userDataInJWT": {"n": 1}});
        let regenerated = app.post("/recipe/session/regenerate", regenerate).cdi(version).await.ok();
        assert_eq!(who(&regenerated), ["mine", "a"]);
        let refreshed = refresh(&app, version, &created.refresh_token()).await.ok();
        assert_eq!(who(&refreshed), ["mine", "a"]);
        let verified = verify(&app, version, &refreshed.access_token()).await.ok();
        assert_eq!(who(&verified), ["mine", "a"]);
        assert_eq!(handles(&app, "userId=mine").await, [created.handle()], "found by its new id too");
    }
}

#[tokio::test]
async fn a_theft_names_the_current_primary_user() {
    let app = pair().await;
    let first = app.session("b").await;
    refresh(&app, "5.6", &first.refresh_token()).await.ok();
    app.clock.advance(60_000);
    let theft = refresh(&app, "5.6", &first.refresh_token()).await;
    assert_eq!(theft.json()["status"], "TOKEN_THEFT_DETECTED");
    assert_eq!(who(&theft), ["mine", "b"]);
}

#[tokio::test]
async fn sessions_are_listed_by_any_id_with_or_without_those_of_linked_methods() {
    let app = pair().await;
    app.session("stranger").await;
    let (own, linked) = (app.session("mine").await.handle(), app.session("b").await.handle());
    let mut both = [own.clone(), linked.clone()];
    both.sort();
    for id in ["a", "mine", "b"] {
        assert_eq!(handles(&app, &format!("userId={id}")).await, both, "{id}");
        assert_eq!(handles(&app, &format!("userId={id}&fetchSessionsForAllLinkedAccounts=TRUE")).await, both);
        assert_eq!(handles(&app, &format!("userId={id}&fetchAcrossAllTenants=false")).await, both);
    }
    for (id, handle) in [("a", &own), ("mine", &own), ("b", &linked)] {
        let alone = handles(&app, &format!("userId={id}&fetchSessionsForAllLinkedAccounts=false")).await;
        assert_eq!(alone, std::slice::from_ref(handle), "{id}");
    }
}

#[tokio::test]
async fn sessions_are_revoked_by_any_id_with_or_without_those_of_linked_methods() {
    for (id, alone, left) in [
        ("a", true, ["b"].as_slice()),
        ("mine", true, &["b"]),
        ("b", true, &["mine"]),
        ("a", false, &[]),
        ("b", false, &[]),
    ] {
        let app = pair().await;
        for user in ["mine", "b"] {
            app.session(user).await;
        }
        let mut body = json!({"userId": id});
        if alone {
            body["revokeSessionsForLinkedAccounts"] = false.into();
        }
        app.post("/recipe/session/remove", body).await.ok();
        for user in ["mine", "b"] {
            assert_eq!(app.sessions_of(user).await.len(), usize::from(left.contains(&user)), "{id} {alone} {user}");
        }
    }
}

#[tokio::test]
async fn activity_counts_people_not_login_methods() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io"), by_provider("b", 2, "b@x.io")]).await;
    let active = async || app.get("/users/count/active?since=0").await.ok().json()["count"].clone();
    for user in ["a", "b"] {
        app.session(user).await;
    }
    assert_eq!(active().await, 2);
    app.group(&["a", "b"]).await;
    assert_eq!(active().await, 1);
    app.clock.advance(600_000);
    app.session("b").await;
    assert_eq!(active().await, 1);
    let map = json!({"superTokensUserId": "a", "externalUserId": "mine", "force": true});
    app.post("/recipe/userid/map", map).await.ok();
    assert_eq!(active().await, 1);
    app.post("/user/remove", json!({"userId": "b"})).await.ok();
    assert_eq!(active().await, 0);
}
