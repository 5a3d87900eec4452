//! Steps of an import: executed once, however often they are requested, with an audit event for everything they change.

use crate::app::TestApp;
use crate::store::golden;
use serde_json::{Value, json};
use sessiond::command::scope::{Cause, Scope};
use sessiond::command::user::import::{EndImport, ImportStep, ImportUsers, StepEnded};
use sessiond::domain::ids::{AppId, TenantId};
use sessiond::domain::import::{BadLine, Imported};
use sessiond::domain::time::UnixMillis;
use sessiond::store::Keyspace;
use sessiond::store::user_import::{self, ImportRecord};
use uuid::Uuid;

const HASH: &str = "$2a$04$abcdefghijklmnopqrstuu5Nk4bWpHwcT1WkA9CjIvp6XcSbYJ9iK";
const IMPORT: Uuid = Uuid::from_bytes([7; 16]);

fn scope(app: &TestApp) -> Scope {
    let entry = app.context.directory.app(&AppId::base()).expect("the base app always exists");
    Scope { app: entry, cause: Cause::without_request("test") }
}

fn line(email: &str) -> String {
    json!({"email": email, "passwordHash": HASH, "userId": email, "roles": ["admin", "writer"]}).to_string()
}

async fn step(app: &TestApp, import: Uuid, step: u64, lines: &[String]) -> StepEnded {
    let step = ImportStep { import, step };
    let command = ImportUsers { scope: scope(app), tenant: TenantId::public(), lines: lines.to_vec(), step };
    command.run(&app.context).await.unwrap()
}

async fn with_roles() -> TestApp {
    let app = TestApp::new().await;
    for role in ["admin", "writer"] {
        app.put("/recipe/role", json!({"role": role, "permissions": []})).await.ok();
    }
    app
}

/// Kind, user and detail of the audit events, oldest first.
async fn told(app: &TestApp) -> Vec<(String, String, Value)> {
    let mut events = app.get("/audit?limit=100").await.ok().json()["events"].as_array().unwrap().clone();
    events.reverse();
    let text = |event: &Value, member: &str| event[member].as_str().unwrap_or_default().to_owned();
    let about_users = events.iter().filter(|event| !event["userId"].is_null());
    about_users.map(|event| (text(event, "kind"), text(event, "userId"), event["detail"].clone())).collect()
}

#[tokio::test]
async fn a_step_is_done_once() {
    let app = with_roles().await;
    let first = [line("jane@x.io"), "no user".to_owned(), line("joe@x.io")];
    let refused = Imported::Refused(BadLine("the line is not a JSON object".to_owned()));
    let done = StepEnded::Done(vec![Imported::Ok, refused, Imported::Ok]);
    assert_eq!(step(&app, IMPORT, 0, &first).await, done);
    assert_eq!(step(&app, IMPORT, 0, &first).await, done, "the reply of the first run, not that they exist");
    assert_eq!(app.get("/users/count").await.json()["count"], 2);
    assert_eq!(step(&app, IMPORT, 0, &first[..1]).await, StepEnded::OtherLines);

    let second = [line("jane@x.io"), line("ann@x.io")];
    let existing = Imported::Existing { tenant: TenantId::public() };
    let outcomes = StepEnded::Done(vec![existing.clone(), Imported::Ok]);
    assert_eq!(step(&app, IMPORT, 2, &second).await, StepEnded::StepsMissing);
    assert_eq!(step(&app, IMPORT, 1, &second).await, outcomes);
    assert_eq!(step(&app, IMPORT, 1, &second).await, outcomes);
    assert_eq!(step(&app, IMPORT, 0, &first).await, StepEnded::StepsMissing, "the store is ahead");
    let other = Uuid::from_bytes([8; 16]);
    assert_eq!(step(&app, other, 1, &second).await, StepEnded::StepsMissing);
    assert_eq!(step(&app, other, 0, &second).await, StepEnded::Done(vec![existing.clone(), existing]));
    assert_eq!(app.get("/users/count").await.json()["count"], 3);

    EndImport { scope: scope(&app), import: IMPORT }.run(&app.context).await.unwrap();
    assert_eq!(step(&app, IMPORT, 1, &second).await, StepEnded::StepsMissing);
    assert_eq!(app.rows(Keyspace::UserImport).await, 1);
    app.clock.advance(user_import::ABANDONED_AFTER_MS + 1);
    step(&app, IMPORT, 0, &second).await;
    assert_eq!(app.rows(Keyspace::UserImport).await, 1, "the other address was abandoned");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_step_that_runs_twice_at_once_is_done_once() {
    let app = with_roles().await;
    for round in 0..20 {
        let import = Uuid::from_u128(round);
        let lines: Vec<_> = (0..5).map(|number| line(&format!("{round}-{number}@x.io"))).collect();
        let runs: Vec<_> = (0..4)
            .map(|_| {
                let (app, lines) = (app.clone(), lines.clone());
                tokio::spawn(async move { step(&app, import, 0, &lines).await })
            })
            .collect();
        for run in runs {
            assert_eq!(run.await.unwrap(), StepEnded::Done(vec![Imported::Ok; 5]));
        }
    }
    assert_eq!(app.get("/users/count").await.json()["count"], 100);
}

#[tokio::test]
async fn roles_of_imported_users_are_in_the_audit_log() {
    let app = with_roles().await;
    let ghost = json!({"email": "ghost@x.io", "passwordHash": HASH, "roles": ["none"]}).to_string();
    let plain = json!({"email": "joe@x.io", "passwordHash": HASH, "userId": "joe"}).to_string();
    let lines = [line("jane@x.io"), ghost, plain];
    step(&app, IMPORT, 0, &lines).await;
    step(&app, IMPORT, 0, &lines).await;
    let mut told = told(&app).await;
    told.sort_by_key(|(kind, user, detail)| (user.clone(), kind.clone(), detail.to_string()));
    let event = |kind: &str, user: &str, detail: Value| (kind.to_owned(), user.to_owned(), detail);
    let expected = [
        event("role-assigned", "jane@x.io", json!("admin")),
        event("role-assigned", "jane@x.io", json!("writer")),
        event("user-imported", "jane@x.io", Value::Null),
        event("user-imported", "joe", Value::Null),
    ];
    assert_eq!(told, expected);
}

#[test]
fn record_version_1() {
    let record = ImportRecord {
        step: 3,
        lines: [7; 32],
        at: UnixMillis(1_700_000_000_000),
        outcomes: vec![
            Imported::Ok,
            Imported::Existing { tenant: TenantId::new("t1") },
            Imported::Refused(BadLine("the line is no JSON object".to_owned())),
        ],
    };
    golden::newest("user_import", &user_import::key(&AppId::base(), IMPORT), &record);
}
