//! `sessiond hooks` on a running server and on a stopped folder.

use crate::app::{ManualClock, new_session};
use crate::cli::sandbox::Sandbox;
use crate::hooks::receiver::{Manners, Receiver, SECRET};
use crate::hooks::with_hooks;
use serde_json::{Value, json};
use sessiond::domain::time::Clock;
use sessiond::system::SystemClock;

/// A folder whose server tells this receiver of everything.
fn sandbox(receiver: &Receiver) -> Sandbox {
    let mut sandbox = Sandbox::new();
    let hooks = json!([{"url": receiver.url(), "secret": SECRET, "events": ["*"]}]);
    sandbox.set("SESSIOND_EVENT_HOOKS", hooks.to_string());
    sandbox.set("SESSIOND_HOOK_PRIVATE_NETWORKS", "127.0.0.1");
    sandbox
}

/// Leaves two events in the folder, of this moment.
fn fill(sandbox: &Sandbox, receiver: &Receiver) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = ManualClock::at(SystemClock.now());
        let builder = with_hooks(&[(receiver, &["*"])]).clock(&clock);
        let app = builder.on_disk(&sandbox.path().join("data")).build().await;
        for user in ["one", "two"] {
            app.post("/recipe/session", new_session(user)).await.ok();
            app.clock.advance(1);
        }
        app.context.store.close().await.unwrap();
    });
}

#[test]
fn a_test_event_tells_what_each_hook_answered() {
    let receiver = Receiver::start();
    let sandbox = sandbox(&receiver);
    let running = sandbox.serve(&["--ephemeral"]);
    let host = format!("127.0.0.1:{}", receiver.port);
    let expected = json!({"hooks": [{"hook": host, "status": "TAKEN", "answer": "204"}]});
    assert_eq!(sandbox.json(&["hooks", "test", "--json"]), expected);
    assert_eq!(receiver.take_types(), ["hook.test"]);
    receiver.behave(Manners::Says(401, String::new()));
    let told = sandbox.run(&["hooks", "test"]);
    assert!(told.out.contains("not taken") && told.out.contains("it answered 401"), "{told:?}");
    drop(running);
    let none = Sandbox::new();
    let running = none.serve(&["--ephemeral"]);
    assert_eq!(none.run(&["hooks", "test"]).err, "error: no hook is configured: event_hooks is not set for this app\n");
    drop(running);
}

#[test]
fn events_are_listed_dropped_and_told_again() {
    let receiver = Receiver::with(Manners::Says(500, String::new()));
    let sandbox = sandbox(&receiver);
    fill(&sandbox, &receiver);
    let told = sandbox.run(&["hooks", "list"]).out;
    assert!(told.starts_with("ID ") && told.contains("session.created") && told.contains("  due  "), "{told}");
    let id = sandbox.json(&["hooks", "list", "--json"])["events"][0]["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("evt_"), "{id}");
    assert_eq!(sandbox.run(&["hooks", "drop", &id]).out, "1 event dropped\n");
    assert_eq!(sandbox.run(&["hooks", "drop", &id]).out, "No such event.\n");

    let mut running = sandbox.serve(&[]);
    running.watch.secret(&SECRET[6..]);
    running.watch.secret("key=hush");
    let patience = std::time::Instant::now();
    let listed = loop {
        let listed = sandbox.json(&["hooks", "list", "--json"])["events"].take();
        if listed[0]["failures"] == 1 {
            break listed;
        }
        assert!(patience.elapsed().as_secs() < 30, "{listed}");
    };
    assert_eq!((&listed[0]["state"], &listed[0]["lastError"]), (&json!("waiting"), &json!("it answered 500")));
    receiver.behave(Manners::Says(200, String::new()));
    assert_eq!(sandbox.run(&["hooks", "retry", "--all"]).out, "1 event retried\n");
    while sandbox.json(&["hooks", "list", "--json"])["events"] != Value::Array(Vec::new()) {
        assert!(patience.elapsed().as_secs() < 60);
    }
    assert_eq!(sandbox.run(&["stop"]).code, Some(0));
    running.wait();
    assert_eq!(sandbox.run(&["hooks", "list"]).out, "No events are waiting.\n");
    running.watch.search(&running.err());
}

#[test]
fn retry_wants_to_know_what() {
    let sandbox = Sandbox::new();
    for args in
        [&["hooks", "retry"][..], &["hooks", "retry", "x"], &["hooks", "drop"], &["hooks", "list", "--limit", "0"]]
    {
        assert_eq!(sandbox.run(args).code, Some(2), "{args:?}");
    }
}
