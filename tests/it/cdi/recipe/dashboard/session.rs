//! `/recipe/dashboard/session…` and `GET /recipe/dashboard/user/sessions`.

use super::{cheap, session, user, whose};
use crate::app::TestApp;
use crate::store::{assert_holds_none_of, rows_of};
use serde_json::{Value, json};
use sessiond::jobs::sweep::sweep;
use sessiond::store::{Key, Keyspace};

const LIFETIME_MS: u64 = 30 * 24 * 60 * 60 * 1000;

async fn end(app: &TestApp, session: &str) {
    app.request(http::Method::DELETE, &format!("/recipe/dashboard/session?sessionId={session}")).await.ok();
}

async fn sessions(app: &TestApp, user: &str) -> Vec<Value> {
    let reply = app.get(&format!("/recipe/dashboard/user/sessions?userId={user}")).await.ok().json();
    reply["sessions"].as_array().unwrap().clone()
}

async fn rows(app: &TestApp) -> Vec<(Key, Vec<u8>)> {
    rows_of(&*app.context.store, Keyspace::DashboardSession).await
}

#[tokio::test]
async fn a_session_names_its_user_until_it_ends() {
    let app = cheap().build().await;
    user(&app, "a@x.io").await;
    let (one, two) = (session(&app, "a@x.io").await, session(&app, "a@x.io").await);
    let body = json!({"sessionId": format!(" {one} ")});
    let verify =
        async |version| app.post("/recipe/dashboard/session/verify", body.clone()).cdi(version).await.ok().json();
    assert_eq!(verify("3.0").await, json!({"status": "OK", "email": "a@x.io"}));
    assert_eq!(verify("2.21").await, json!({"status": "OK"}));
    assert_eq!(whose(&app, "unknown").await, "INVALID_SESSION_ERROR");
    end(&app, &one).await;
    end(&app, &one).await;
    assert_eq!(whose(&app, &one).await, "INVALID_SESSION_ERROR");
    assert_eq!(whose(&app, &two).await, "a@x.io");
    app.request(http::Method::DELETE, "/recipe/dashboard/session")
        .await
        .is_text(400, "Field name 'sessionId' is missing in GET request");
    app.request(http::Method::DELETE, "/recipe/dashboard/session?sessionId=")
        .await
        .is_text(400, "Field name 'sessionId' cannot be an empty String");
}

#[tokio::test]
async fn after_thirty_days_a_session_is_over_and_goes() {
    let app = cheap().build().await;
    let id = user(&app, "a@x.io").await;
    let old = session(&app, "a@x.io").await;
    let young = session(&app, "a@x.io").await;
    app.clock.advance(LIFETIME_MS - 1);
    assert_eq!(whose(&app, &old).await, "a@x.io");
    app.clock.advance(1);
    assert_eq!(whose(&app, &old).await, "INVALID_SESSION_ERROR");
    assert_eq!(whose(&app, &young).await, "a@x.io");
    assert_eq!(sessions(&app, &id).await.len(), 1);
    assert_eq!(rows(&app).await.len(), 2);
    let removed = sweep(&app.context, app.context.now()).await.unwrap();
    assert_eq!((removed.dashboard_sessions, rows(&app).await.len()), (1, 1));
    assert_eq!(whose(&app, &young).await, "a@x.io");
}

#[tokio::test]
async fn sessions_are_listed_by_names_that_end_them_and_open_nothing() {
    let app = cheap().build().await;
    let id = user(&app, "a@x.io").await;
    let other = user(&app, "b@x.io").await;
    let one = session(&app, "a@x.io").await;
    app.clock.advance(5);
    let two = session(&app, "a@x.io").await;
    session(&app, "b@x.io").await;
    let listed = sessions(&app, &id).await;
    assert_eq!(listed.len(), 2);
    let created = listed[0]["timeCreated"].as_u64().unwrap();
    let expected = json!({
        "userId": id, "sessionId": listed[0]["sessionId"], "timeCreated": created, "expiry": created + LIFETIME_MS
    });
    assert_eq!(listed[0], expected);
    let name = listed[0]["sessionId"].as_str().unwrap();
    assert_eq!(whose(&app, name).await, "INVALID_SESSION_ERROR");
    end(&app, name).await;
    assert_eq!([whose(&app, &one).await, whose(&app, &two).await], ["INVALID_SESSION_ERROR", "a@x.io"]);
    assert_eq!([sessions(&app, &id).await.len(), sessions(&app, &other).await.len()], [1, 1]);
    assert_eq!(sessions(&app, "nobody").await, [] as [Value; 0]);
}

#[tokio::test]
async fn the_store_holds_no_session_id() {
    let app = cheap().build().await;
    user(&app, "a@x.io").await;
    let id = session(&app, "a@x.io").await;
    let uuid = uuid::Uuid::try_parse(&id).unwrap();
    assert_holds_none_of(&*app.context.store, &[id.as_bytes(), uuid.as_bytes()]).await;
}
