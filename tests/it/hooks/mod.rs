//! Hooks: programs of the operator's that are told what has happened, and asked what may happen.

mod delivery;
mod docs;
mod events;
mod inline;
pub(crate) mod receiver;
mod records;

use crate::app::{TestApp, TestAppBuilder};
use crate::people::with_cheap_passwords;
use receiver::{Receiver, SECRET};
use serde_json::{Value, json};
use sessiond::jobs::hook_events::{HookRound, round};
use sessiond::store::Keyspace;

/// An app that tells these receivers of events.
pub(crate) fn with_hooks(hooks: &[(&Receiver, &[&str])]) -> TestAppBuilder {
    let hook =
        |(receiver, events): &(&Receiver, &[&str])| json!({"url": receiver.url(), "secret": SECRET, "events": events});
    let hooks = Value::Array(hooks.iter().map(hook).collect()).to_string();
    with_cheap_passwords().setting("event_hooks", &hooks).setting("hook_private_networks", "127.0.0.1")
}

/// An app that tells this URL of everything.
fn with_hook_at(url: &str) -> TestAppBuilder {
    let hooks = json!([{"url": url, "secret": SECRET, "events": ["*"]}]).to_string();
    with_cheap_passwords().setting("event_hooks", &hooks).setting("hook_private_networks", "127.0.0.1")
}

/// Builds an app whose hooks' secrets must not appear in the logs.
async fn watched(builder: TestAppBuilder) -> TestApp {
    let app = builder.build().await;
    // The URL may hold a secret, too, and addresses are sealed at rest and stay out of the logs.
    [&SECRET[6..], "key=hush", "anna@x.io"].into_iter().for_each(|secret| app.keep_secret(secret));
    app
}

/// Does what the job does.
async fn run(app: &TestApp) -> HookRound {
    round(&app.context).await.unwrap()
}

/// Events that hooks have not taken yet.
async fn waiting(app: &TestApp) -> usize {
    app.rows(Keyspace::HookEvent).await
}

const fn told(count: u64) -> HookRound {
    HookRound { told: count, failed: 0, dropped: 0, next_ms: None }
}

/// A round in which so many events failed, and when the next is due.
const fn failed(count: u64, next_ms: u64) -> HookRound {
    HookRound { told: 0, failed: count, dropped: 0, next_ms: Some(next_ms) }
}
