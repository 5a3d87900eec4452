//! `docs/hooks.md` says what hooks get.

use super::receiver::SECRET;
use super::{run, told, with_hook_at};
use crate::app::ManualClock;
use serde_json::{Value, json};
use sessiond::domain::hook::{Circumstances, HookEvent, HookEventKind};
use sessiond::domain::ids::{AppId, SessionHandle, TenantId, UserId};
use sessiond::domain::session::client::{Client, Seen, SessionClients, UserAgent};
use sessiond::domain::time::{Clock, UnixMillis};
use sessiond::system::SystemClock;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};
use uuid::Uuid;

const DOCS: &str = include_str!("../../../docs/hooks.md");

/// The first block of code after a heading.
fn block(heading: &str, language: &str) -> &'static str {
    let section = DOCS.split(&format!("\n{heading}\n")).nth(1).unwrap_or_else(|| panic!("{heading}"));
    let block = section.split(&format!("```{language}\n")).nth(1).unwrap();
    block.split("```").next().unwrap()
}

fn schema() -> Value {
    serde_json::from_str(block("### Schema of an event", "json")).unwrap()
}

#[test]
fn every_kind_of_event_is_documented() {
    let names: Vec<_> = HookEventKind::ALL.into_iter().map(HookEventKind::name).collect();
    assert_eq!(schema()["properties"]["type"]["enum"], json!(names));
    for name in names {
        assert!(DOCS.contains(&format!("| `{name}` |")), "{name} has no row in the table");
    }
}

#[test]
fn the_schema_has_the_members_that_events_have() {
    let (app, tenant, user) = (AppId::base(), TenantId::public(), UserId::new("u"));
    let session = SessionHandle { uuid: Uuid::nil(), tenant: tenant.clone() };
    let client = Client { address: [192, 0, 2, 1].into(), user_agent: UserAgent::of(b"Mozilla/5.0") };
    let clients = Some(SessionClients::created_by(client.clone()));
    let clients = SessionClients::after_refresh(clients, Seen::Client(client), UnixMillis(1));
    let mut members = BTreeSet::new();
    for kind in HookEventKind::ALL {
        let event = HookEvent {
            kind,
            tenant: Some(&tenant),
            user: Some(&user),
            recipe_user: Some(&user),
            recipe: Some("totp"),
            login: Some("a@x.io"),
            session: Some(&session),
            clients: clients.as_ref(),
            detail: Some("d"),
        };
        let client = Some([192, 0, 2, 1].into());
        let circumstances = Circumstances { app: &app, at: UnixMillis(0), call: "c", request_id: "r", client };
        let body: Value = serde_json::from_str(&event.body(&circumstances)).unwrap();
        members.extend(body["data"].as_object().unwrap().keys().cloned());
    }
    let data = &schema()["properties"]["data"];
    let body = HookEvent { clients: clients.as_ref(), ..HookEvent::of(HookEventKind::SessionEnded) };
    let circumstances = Circumstances { app: &app, at: UnixMillis(0), call: "c", request_id: "r", client: None };
    let body: Value = serde_json::from_str(&body.body(&circumstances)).unwrap();
    for member in ["createdFrom", "refreshedFrom"] {
        let told: BTreeSet<_> = body["data"][member].as_object().unwrap().keys().collect();
        let documented: BTreeSet<_> = data["properties"][member]["properties"].as_object().unwrap().keys().collect();
        assert_eq!(told, documented, "{member}");
    }
    let documented: BTreeSet<String> = data["properties"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(documented, members);
    let least: Value = {
        let circumstances = Circumstances { app: &app, at: UnixMillis(0), call: "c", request_id: "", client: None };
        serde_json::from_str(&HookEvent::of(HookEventKind::Test).body(&circumstances)).unwrap()
    };
    let required: BTreeSet<_> =
        data["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let least: BTreeSet<_> = least["data"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(required, least, "what is always there");
}

/// The receiver of the documentation, on a port that the system chooses.
struct Example {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl Example {
    fn start(secret: &str) -> Self {
        let code = block("### A receiver", "python");
        let last = code.lines().last().unwrap();
        let server = last.trim_end_matches(".serve_forever()").replace(r#"os.environ.get("PORT", "8000")"#, "0");
        let code = code.replace(
            last,
            &format!("server = {server}\nprint(server.server_port, flush=True)\nserver.serve_forever()"),
        );
        let mut python = Command::new("python3");
        python.args(["-c", &code]).env("HOOK_SECRET", secret).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = python.spawn().expect("python3 runs");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.next().expect("a line").unwrap().parse().unwrap();
        Self { process, lines, port }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[tokio::test]
async fn the_receiver_in_the_documentation_works() {
    let mut receiver = Example::start(SECRET);
    let mut app = with_hook_at(&format!("http://127.0.0.1:{}/", receiver.port));
    // It refuses old requests, so the clock must not be that of the tests.
    app = app.clock(&ManualClock::at(SystemClock.now()));
    let app = app.build().await;
    app.session("anna").await;
    assert_eq!(run(&app).await, told(1));
    assert_eq!(receiver.lines.next().unwrap().unwrap(), "session.created anna");
    app.clock.advance(600_000);
    app.session("anna").await;
    assert_eq!(run(&app).await.failed, 1, "the time is signed, too, and from the future");
    let stranger = Example::start("whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXI=");
    let app = with_hook_at(&format!("http://127.0.0.1:{}/", stranger.port)).build().await;
    app.session("anna").await;
    assert_eq!(run(&app).await.failed, 1, "it is signed with another key");
}
