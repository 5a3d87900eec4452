//! Observations of the settings of hooks.

use super::Spot;
use super::texts::FIRST_SECRET;
use crate::app::new_session;
use serde_json::{Value, json};
use sessiond::command::hook::ask::is_asked;
use sessiond::command::hook::operate::{ListEvents, TestEventHooks};
use sessiond::command::scope::{Cause, Scope};
use sessiond::domain::hook::HookPoint;

/// A hook.
pub(super) fn some() -> Value {
    json!([{"url": "https://hook.test/", "secret": FIRST_SECRET, "events": ["session.created"]}])
}

/// A hook that is asked.
pub(super) fn inline() -> Value {
    json!([{"url": "https://hook.test/", "secret": FIRST_SECRET, "before": ["sign_in"], "fail": "open"}])
}

/// Whether a hook of the app is asked.
pub(super) async fn asked(spot: Spot<'_>) -> Value {
    json!(is_asked(&scope(&spot), HookPoint::SignIn))
}

fn scope(spot: &Spot<'_>) -> Scope {
    let app = spot.app.context.directory.app(&spot.app_id()).unwrap();
    Scope { app, cause: Cause::without_request("test") }
}

/// What the app's hooks answer to a test.
pub(super) async fn told(spot: Spot<'_>) -> Value {
    let tested = TestEventHooks { scope: scope(&spot) }.run(&spot.app.context).await;
    tested.into_iter().map(|hook| (hook.host, json!(hook.answer.unwrap()))).collect()
}

/// For how long an event is kept, in ms.
pub(super) async fn kept_for(spot: Spot<'_>) -> Value {
    spot.app.clock.advance(1);
    spot.post("/recipe/session", new_session("u")).await.ok();
    let listed = ListEvents { scope: scope(&spot), limit: 100 }.run(&spot.app.context).await.unwrap();
    let newest = &listed.last().unwrap().record;
    json!(newest.expires.0 - newest.created.0)
}
