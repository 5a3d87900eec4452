//! `GET /audit`, and the contents of the audit log.

mod client;

use crate::app::{START, TestApp, TestReply};
use crate::people::{by_password, mapped};
use crate::store::golden;
use serde_json::{Value, json};
use sessiond::command::audit::note;
use sessiond::command::scope::{Cause, Scope};
use sessiond::domain::audit::{AuditEvent, AuditKind};
use sessiond::domain::ids::{AppId, TenantId, UserId};
use sessiond::domain::time::UnixMillis;
use sessiond::jobs::sweep::{SweepCounts, sweep};
use sessiond::store::audit::{self, AuditPlace, AuditRecord};

const DAY: u64 = 86_400_000;

async fn read(app: &TestApp, query: &str) -> Value {
    app.get(&format!("/audit{query}")).await.ok().json()
}

/// Kind and user of every event in a reply.
fn told(answer: &Value) -> Vec<(&str, &str)> {
    let events = answer["events"].as_array().expect("events");
    events
        .iter()
        .map(|event| (event["kind"].as_str().expect("a kind"), event["userId"].as_str().unwrap_or("-")))
        .collect()
}

/// Writes an event as a command would.
async fn write(app: &TestApp, id: &AppId, event: AuditEvent) {
    let entry = app.context.directory.app(id).expect("an app");
    let (caller, client) = ("::ffff:10.0.0.1".parse().ok(), "2001:db8::1".parse().ok());
    let cause = Cause { call: "test", request_id: "r-1".to_owned(), caller, client };
    let mut tx = app.context.store.begin();
    note(tx.as_mut(), &app.context, &Scope { app: entry, cause }, event).await.unwrap();
    tx.commit().await.unwrap();
}

async fn signed_in(app: &TestApp, user: &str) {
    write(app, &AppId::base(), AuditEvent::of(AuditKind::SignedIn).user(&UserId::new(user))).await;
}

async fn assign(app: &TestApp, user: &str, role: &str) -> TestReply {
    app.put("/recipe/role", json!({"role": role, "permissions": []})).await.ok();
    app.put("/recipe/user/role", json!({"userId": user, "role": role})).await.ok()
}

#[tokio::test]
async fn changes_of_roles_and_addresses_are_told_newest_first() {
    let app = TestApp::new().await;
    assert_eq!(read(&app, "").await, json!({"status": "OK", "events": []}));
    assign(&app, "u", "admin").await;
    app.clock.advance(1);
    assign(&app, "u", "admin").await; // changes nothing
    app.post("/recipe/user/role/remove", json!({"userId": "u", "role": "admin"})).await.ok();
    app.clock.advance(1);
    app.post("/recipe/role/remove", json!({"role": "admin"})).await.ok();
    app.clock.advance(1);
    let body = json!({"userId": "u", "email": "Jane@Example.org"});
    let token = app.post("/recipe/user/email/verify/token", body.clone()).await.ok().text_at("/token");
    app.post("/recipe/user/email/verify", json!({"method": "token", "token": token})).await.ok();
    app.clock.advance(1);
    app.post("/recipe/user/email/verify/remove", body).await.ok();

    let answer = read(&app, "").await;
    let kinds: Vec<_> = told(&answer).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds[..4], ["email-unverified", "email-verified", "role-removed", "role-unassigned"]);
    let mut first: Vec<_> = kinds[4..].to_vec();
    first.sort_unstable();
    assert_eq!(first, ["role-assigned", "role-changed"], "those of one moment are in any order");
    let events = answer["events"].as_array().unwrap();
    assert_eq!(
        events[1],
        json!({"time": START.0 + 3, "kind": "email-verified", "userId": "u", "tenantId": "public",
            "login": "j***@example.org", "call": "POST /recipe/user/email/verify", "caller": "127.0.0.1",
            "requestId": "test"})
    );
    assert_eq!(events[2]["detail"], "admin");
    assert_eq!(events[3]["tenantId"], "public");
}

#[tokio::test]
async fn linking_is_told_with_the_ids_that_callers_see() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io"), mapped("mine", by_password("b", 2, "b@x.io"))]).await;
    app.make_primary("a").await;
    app.clock.advance(1);
    app.link("b", "a").await;
    app.link("b", "a").await;
    app.clock.advance(1);
    app.post("/recipe/accountlinking/user/unlink", json!({"recipeUserId": "b"})).await.ok();
    let answer = read(&app, "").await;
    assert_eq!(told(&answer), [("unlinked", "a"), ("linked", "a"), ("made-primary", "a")]);
    for event in &answer["events"].as_array().unwrap()[..2] {
        assert_eq!(event["recipeUserId"], "mine");
    }
}

#[tokio::test]
async fn an_unlinking_that_deletes_a_login_method_is_told_as_both() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "jane@x.io"), by_password("b", 2, "b@x.io")]).await;
    app.group(&["a", "b"]).await;
    app.clock.advance(1);
    let reply = app.post("/recipe/accountlinking/user/unlink", json!({"recipeUserId": "a"})).await.ok().json();
    assert_eq!(reply["wasRecipeUserDeleted"], true);
    let answer = read(&app, &format!("?from={}", START.0 + 1)).await;
    let mut kinds = told(&answer);
    kinds.sort_unstable();
    assert_eq!(kinds, [("unlinked", "a"), ("user-deleted", "a")]);
    let deleted = read(&app, "?kind=user-deleted").await;
    assert_eq!(deleted["events"][0]["login"], "j***@x.io");
}

#[tokio::test]
async fn tenants_of_a_login_method_are_told_when_they_change() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io"), mapped("mine", by_password("b", 2, "b@x.io"))]).await;
    app.group(&["a", "b"]).await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    for path in ["/t1/recipe/multitenancy/tenant/user", "/t1/recipe/multitenancy/tenant/user/remove"] {
        for _ in 0..2 {
            app.clock.advance(1);
            app.post(path, json!({"recipeUserId": "mine"})).await.ok();
        }
    }
    let answer = read(&app, &format!("?from={}", START.0 + 1)).await;
    assert_eq!(told(&answer), [("removed-from-tenant", "a"), ("added-to-tenant", "a")]);
    for event in answer["events"].as_array().unwrap() {
        assert_eq!((&event["recipeUserId"], &event["tenantId"]), (&json!("mine"), &json!("t1")));
    }
}

#[tokio::test]
async fn roles_are_told_of_on_every_way_in_which_they_change() {
    let app = TestApp::new().await;
    let roles = async |n: u64| {
        let answer = read(&app, &format!("?from={}", START.0 + n)).await;
        let row =
            |event: &Value| ["kind", "detail"].map(|name| event[name].as_str().unwrap_or("-").to_owned()).join(" ");
        let mut rows: Vec<_> = answer["events"].as_array().unwrap().iter().map(row).collect();
        rows.sort();
        rows
    };
    let role = |permissions: &[&str]| json!({"role": "admin", "permissions": permissions});
    for (n, (method, path, body, expected)) in (1..).zip([
        ("PUT", "/recipe/role", role(&[]), "role-changed admin"),
        ("PUT", "/recipe/role", role(&["read", "write"]), "role-changed admin"),
        ("POST", "/recipe/role/permissions/remove", role(&["read"]), "role-changed admin"),
        ("PUT", "/recipe/user/role", json!({"userId": "u", "role": "admin"}), "role-assigned admin"),
        ("POST", "/recipe/user/role/remove", json!({"userId": "u", "role": "admin"}), "role-unassigned admin"),
        ("POST", "/recipe/role/remove", json!({"role": "admin"}), "role-removed admin"),
    ]) {
        app.clock.advance(1);
        for _ in 0..2 {
            if method == "PUT" { app.put(path, body.clone()).await } else { app.post(path, body.clone()).await }.ok();
        }
        assert_eq!(roles(n).await, [expected], "{path} {body}, once although it was called twice");
    }
}

#[tokio::test]
async fn mapping_and_deletion_are_told_of_each_login_method() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "jane@x.io"), by_password("b", 2, "other@x.io")]).await;
    app.group(&["a", "b"]).await;
    app.clock.advance(1);
    let body = json!({"superTokensUserId": "a", "externalUserId": "crm-1"});
    app.post("/recipe/userid/map", body.clone()).await.ok();
    app.post("/recipe/userid/map", body).await; // exists
    app.clock.advance(1);
    app.post("/user/remove", json!({"userId": "b"})).await.ok();
    app.post("/user/remove", json!({"userId": "b"})).await.ok();
    let answer = read(&app, "?kind=user-deleted").await;
    let mut deleted: Vec<_> = answer["events"].as_array().unwrap().iter().map(Value::to_string).collect();
    deleted.sort();
    let event = |more: Value| {
        let mut event = json!({"time": START.0 + 2, "kind": "user-deleted", "userId": "crm-1"});
        let rest = json!({"call": "POST /user/remove", "caller": "127.0.0.1", "requestId": "test"});
        for part in [more, rest] {
            event.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        }
        event.to_string()
    };
    let mut expected = [
        event(json!({"recipeId": "emailpassword", "login": "j***@x.io"})),
        event(json!({"recipeUserId": "b", "recipeId": "emailpassword", "login": "o***@x.io"})),
    ];
    expected.sort();
    assert_eq!(deleted, expected);
    let mapped = read(&app, "?kind=id-mapped&userId=a").await;
    assert_eq!(told(&mapped), [("id-mapped", "crm-1")]);
}

#[tokio::test]
async fn an_event_says_what_is_known() {
    let app = TestApp::new().await;
    let event = AuditEvent::of(AuditKind::Linked).user(&UserId::new("p")).recipe_user(&UserId::new("r"));
    write(&app, &AppId::base(), event).await;
    let same = AuditEvent::of(AuditKind::MadePrimary).user(&UserId::new("p")).recipe_user(&UserId::new("p"));
    write(&app, &AppId::base(), same).await;
    let answer = read(&app, "?kind=linked").await;
    assert_eq!(
        answer["events"],
        json!([{"time": START.0, "kind": "linked", "userId": "p", "recipeUserId": "r", "call": "test",
            "caller": "10.0.0.1", "client": "2001:db8::1", "requestId": "r-1"}])
    );
    assert_eq!(read(&app, "?kind=made-primary").await["events"][0].get("recipeUserId"), None);
    assert_eq!(told(&read(&app, "?userId=r").await), [("linked", "p")], "found by the login method too");
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let app = TestApp::new().await;
    for n in 0..25 {
        signed_in(&app, &n.to_string()).await;
        if n % 3 == 0 {
            app.clock.advance(1);
        }
    }
    let all = read(&app, "").await;
    assert_eq!(told(&all).len(), 25);
    let mut seen = Vec::new();
    let mut query = "?limit=4".to_owned();
    loop {
        let page = read(&app, &query).await;
        let events = page["events"].as_array().unwrap().clone();
        assert!(events.len() <= 4);
        seen.extend(events);
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        query = format!("?limit=4&cursor={cursor}");
        // Events written in the meantime are newer and do not appear.
        signed_in(&app, "later").await;
        app.clock.advance(1);
    }
    let seen: Vec<_> = seen.into_iter().filter(|event| event["userId"] != "later").collect();
    assert_eq!(json!(seen), all["events"]);
}

#[tokio::test]
async fn moments_bound_what_is_told() {
    let app = TestApp::new().await;
    for user in ["a", "b", "c"] {
        signed_in(&app, user).await;
        app.clock.advance(10);
    }
    let at = START.0;
    assert_eq!(told(&read(&app, &format!("?from={}", at + 10)).await), [("signed-in", "c"), ("signed-in", "b")]);
    assert_eq!(told(&read(&app, &format!("?to={}", at + 10)).await), [("signed-in", "a")]);
    assert_eq!(told(&read(&app, &format!("?from={}&to={}", at + 1, at + 20)).await), [("signed-in", "b")]);
    assert_eq!(told(&read(&app, &format!("?from={}&to={at}", at + 1)).await), []);
    assert_eq!(told(&read(&app, &format!("?from={}", i64::MAX)).await), []);
}

#[tokio::test]
async fn a_rare_user_is_found_page_by_page() {
    let app = TestApp::new().await;
    signed_in(&app, "rare").await;
    let id = AppId::base();
    let mut tx = app.context.store.begin();
    let record = AuditRecord { user: Some(UserId::new("frequent")), ..record() };
    for n in 1..=6000_u64 {
        let place = AuditPlace { at: START.plus(n), random: n.to_be_bytes() };
        audit::put(tx.as_mut(), &id, &place, &record).unwrap();
    }
    tx.commit().await.unwrap();
    let first = read(&app, "?userId=rare").await;
    assert_eq!(told(&first), [], "a request looks at a bounded number of events");
    let cursor = first["nextCursor"].as_str().expect("more to look at");
    let second = read(&app, &format!("?userId=rare&cursor={cursor}")).await;
    assert_eq!(told(&second), [("signed-in", "rare")]);
    assert_eq!(second.get("nextCursor"), None);
}

#[tokio::test]
async fn the_log_is_of_the_app() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    let a1 = AppId { app_id: "a1".to_owned(), ..AppId::base() };
    write(&app, &a1, AuditEvent::of(AuditKind::SignedUp).user(&UserId::new("u"))).await;
    signed_in(&app, "v").await;
    assert_eq!(told(&read(&app, "").await), [("signed-in", "v")]);
    let other = app.get("/appid-a1/audit").await.ok().json();
    assert_eq!(told(&other), [("signed-up", "u")]);
    app.post("/recipe/multitenancy/app/remove", json!({"appId": "a1"})).await.ok();
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    assert_eq!(told(&app.get("/appid-a1/audit").await.ok().json()), []);
}

#[tokio::test]
async fn events_are_kept_for_their_time_and_then_deleted() {
    let app = TestApp::builder().setting("audit_retention_days", "2").build().await;
    let body = json!({"appId": "a1", "coreConfig": {"audit_retention_days": 5}});
    app.put("/recipe/multitenancy/app/v2", body).await.ok();
    let a1 = AppId { app_id: "a1".to_owned(), ..AppId::base() };
    for n in 0..200 {
        signed_in(&app, &n.to_string()).await;
        write(&app, &a1, AuditEvent::of(AuditKind::SignedUp)).await;
    }
    app.clock.advance(DAY);
    signed_in(&app, "young").await;
    assert_eq!(sweep(&app.context, START.plus(2 * DAY - 1)).await.unwrap(), SweepCounts::default());

    app.clock.set(START.plus(2 * DAY));
    assert_eq!(told(&read(&app, "").await), [("signed-in", "young")], "hidden although it still exists");
    let removed = sweep(&app.context, app.context.now()).await.unwrap();
    assert_eq!(removed, SweepCounts { audit_events: 200, ..SweepCounts::default() });
    assert_eq!(told(&read(&app, "").await), [("signed-in", "young")]);
    assert_eq!(sweep(&app.context, START.plus(5 * DAY)).await.unwrap().audit_events, 201);
}

#[tokio::test]
async fn an_app_may_keep_no_log() {
    let app = TestApp::builder().setting("audit_retention_days", "0").build().await;
    let before = app.context.store.stats().commits;
    assign(&app, "u", "admin").await;
    assert_eq!(app.context.store.stats().commits, before + 2);
    assert_eq!(read(&app, "").await, json!({"status": "OK", "events": []}));
    let mut tx = app.context.store.begin();
    let rows = audit::newest(tx.as_mut(), &AppId::base(), UnixMillis(0), None, 10).await.unwrap();
    assert!(rows.is_empty());
}

#[tokio::test]
async fn an_event_costs_no_commit_of_its_own() {
    let app = TestApp::new().await;
    let before = app.context.store.stats().commits;
    assign(&app, "u", "admin").await;
    assert_eq!(app.context.store.stats().commits, before + 2, "the role, and its assignment");
    assert_eq!(told(&read(&app, "").await).len(), 2);
}

#[tokio::test]
async fn it_wants_the_key_the_public_tenant_and_sane_parameters() {
    let app = TestApp::builder().setting("api_keys", "a-key-of-twenty-letters").build().await;
    app.get("/audit").await.is_text(401, "Invalid API key");
    let get = |query: &str| app.get(&format!("/audit{query}")).key("a-key-of-twenty-letters");
    get("").await.ok();
    for limit in ["0", "-1", "501"] {
        get(&format!("?limit={limit}")).await.is_text(400, "'limit' must be between 1 and 500");
    }
    get("?limit=x").await.is_text(400, "Field name 'limit' must be an int in the GET request");
    get("?from=x").await.is_text(400, "Field name 'from' must be a long in the GET request");
    get("?to=-1").await.is_text(400, "'to' query parameter must be >= 0");
    for cursor in ["", "x", &"0".repeat(31), &"+".repeat(32), "%C3%A9"] {
        get(&format!("?cursor={cursor}")).await.is_text(400, "'cursor' is not one that an earlier page ended with");
    }
    let reply = get("?kind=<b>").await;
    assert_eq!(reply.code(), 400);
    assert!(reply.body().starts_with("'kind' must be one of signed-up, signed-in, "), "{}", reply.body());
    let body = json!({"tenantId": "t1"});
    app.put("/recipe/multitenancy/tenant/v2", body).key("a-key-of-twenty-letters").await.ok();
    let reply = app.get("/t1/audit").key("a-key-of-twenty-letters").await;
    reply.is_text(403, "Only public tenantId can call this app specific API");
}

fn record() -> AuditRecord {
    AuditRecord {
        kind: AuditKind::SignInRefused,
        user: None,
        recipe_user: None,
        tenant: None,
        recipe: None,
        login: None,
        detail: None,
        client: None,
        caller: None,
        call: String::new(),
        request_id: String::new(),
    }
}

#[test]
fn event_version_1() {
    let place = AuditPlace { at: UnixMillis(1_700_000_000_000), random: *b"\x01random\xFF" };
    let record = AuditRecord {
        user: Some(UserId::new("üser")),
        recipe_user: Some(UserId::new("r")),
        tenant: Some(TenantId::new("t1")),
        recipe: Some("emailpassword".to_owned()),
        login: Some("j***@example.org".to_owned()),
        detail: Some("wrong password".to_owned()),
        client: Some("2001:db8::1".to_owned()),
        caller: Some("10.0.0.1".to_owned()),
        call: "POST /recipe/signin".to_owned(),
        request_id: "r-1".to_owned(),
        ..record()
    };
    golden::newest("audit_event", &audit::key(&AppId::base(), &place), &record);
}
