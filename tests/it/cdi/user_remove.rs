//! `POST /user/remove`.

use crate::app::{TestApp, new_session};
use crate::cdi::recipe::EVERY_VERSION;
use crate::people::{by_password, by_phone, by_provider, mapped, within};
use serde_json::{Value, json};
use sessiond::store::Keyspace;

async fn remove(app: &TestApp, id: &str, all: Option<bool>) {
    let mut body = json!({"userId": id});
    if let Some(all) = all {
        body["removeAllLinkedAccounts"] = all.into();
    }
    assert_eq!(app.post("/user/remove", body).await.json(), json!({"status": "OK"}));
}

/// Leaves data under this id with every recipe, in two tenants where that is possible.
async fn live(app: &TestApp, id: &str) {
    app.post("/recipe/user/email/verify/token", json!({"userId": id, "email": "sent@x.io"})).await.ok();
    let token = app.post("/recipe/user/email/verify/token", json!({"userId": id, "email": "e@x.io"})).await.ok();
    let verify = json!({"method": "token", "token": token.text_at("/token")});
    app.post("/recipe/user/email/verify", verify).await.ok();
    app.post("/recipe/user/password/reset/token", json!({"userId": id, "email": "e@x.io"})).await;
    app.put("/recipe/user/metadata", json!({"userId": id, "metadataUpdate": {"a": 1}})).await.ok();
    app.put("/recipe/role", json!({"role": "admin", "permissions": []})).await.ok();
    let device = json!({"userId": id, "deviceName": "d", "skew": 1, "period": 30, "secretKey": "MZXW6YTB"});
    app.post("/recipe/totp/device/import", device).await.ok();
    for tenant in ["", "/t1"] {
        app.post(&format!("{tenant}/recipe/totp/verify"), json!({"userId": id, "totp": "no code"})).await;
        app.put(&format!("{tenant}/recipe/user/role"), json!({"userId": id, "role": "admin"})).await.ok();
        app.post(&format!("{tenant}/recipe/session"), new_session(id)).await.ok();
    }
}

/// What is left under this id with each recipe: sessions, roles, devices, verified addresses, metadata.
async fn left(app: &TestApp, id: &str) -> (usize, usize, usize, bool, bool) {
    let roles = app.get(&format!("/recipe/user/roles?userId={id}")).await.json();
    let there = app.get(&format!("/t1/recipe/user/roles?userId={id}")).await.json();
    let count = |reply: &Value| reply["roles"].as_array().unwrap().len();
    let verified = app.get(&format!("/recipe/user/email/verify?userId={id}&email=e@x.io")).await.json();
    let devices = app.get(&format!("/recipe/totp/device/list?userId={id}")).await.json();
    let metadata = app.get(&format!("/recipe/user/metadata?userId={id}")).await.json();
    (
        app.sessions_of(id).await.len(),
        count(&roles) + count(&there),
        devices["devices"].as_array().unwrap().len(),
        verified["isVerified"] == true,
        metadata["metadata"] != json!({}),
    )
}

const ALL: (usize, usize, usize, bool, bool) = (2, 2, 1, true, true);
const NOTHING: (usize, usize, usize, bool, bool) = (0, 0, 0, false, false);

async fn two_tenants() -> TestApp {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app
}

/// mine (a), b and c as one user, with data of each kind for every method.
async fn group() -> TestApp {
    let app = two_tenants().await;
    app.people([
        mapped("mine", by_password("a", 1, "a@x.io")),
        within(["public", "t1"], by_provider("b", 2, "b@x.io")),
        by_phone("c", 3, "+49"),
    ])
    .await;
    app.group(&["a", "b", "c"]).await;
    for id in ["mine", "b", "c"] {
        live(&app, id).await;
    }
    app.send(json!({"phoneNumber": "+49"})).await;
    app
}

/// Whether a keyspace holds data of users, and whether the test leaves something in it.
fn holds_users(keyspace: Keyspace) -> bool {
    match keyspace {
        Keyspace::Session
        | Keyspace::SessionByUser
        | Keyspace::UserRole
        | Keyspace::RoleUser
        | Keyspace::UserMetadata
        | Keyspace::EmailVerified
        | Keyspace::UserActive
        | Keyspace::EmailVerificationTokenByUser
        | Keyspace::User
        | Keyspace::LoginMethodUser
        | Keyspace::ExternalUserId
        | Keyspace::LoginIdentity
        | Keyspace::AccountInfo
        | Keyspace::UserListing
        | Keyspace::PrimaryAccountInfo
        | Keyspace::PasswordResetTokenByUser
        | Keyspace::TotpDevices
        | Keyspace::TotpAttempts
        | Keyspace::TotpAttemptsByUser
        | Keyspace::UserCount
        | Keyspace::AppUserCount
        | Keyspace::ActiveUserCount
        // Made for the contacts of users.
        | Keyspace::PasswordlessDevice
        | Keyspace::PasswordlessDeviceByContact
        | Keyspace::PasswordlessCode
        | Keyspace::PasswordlessLinkCode => true,
        // Found through their series, which is deleted with the user; the record has no id.
        Keyspace::EmailVerificationToken | Keyspace::PasswordResetToken => true,
        // A user waiting to be imported is not a user yet.
        Keyspace::BulkImport | Keyspace::BulkImportByStatus => false,
        // A mail on its way expires with its token, within a day or so.
        Keyspace::Outbox => false,
        // So does an event: hooks are told of the deletion, too.
        Keyspace::HookEvent => false,
        // Written where the clients of a session are known, which they are at the front door only: tested there.
        // Kept as they came from another core: nothing reads them yet.
        Keyspace::KeptRow | Keyspace::EndedClients => false,
        // The reason why a session ended is kept longer than the session.
        Keyspace::Timeline => false,
        // The deletion of a user is one of the events; they are deleted after their retention.
        Keyspace::AuditEvent => false,
        // Emptied at every startup.
        Keyspace::UserListingV1 => false,
        Keyspace::Meta
        | Keyspace::App
        | Keyspace::Tenant
        | Keyspace::SigningKey
        | Keyspace::SealingKey
        | Keyspace::Role
        | Keyspace::RoleByPermission
        | Keyspace::ThirdPartyProvider
        | Keyspace::UserImport => false,
        // Dashboard users are operators of the app, not its users.
        Keyspace::DashboardUser | Keyspace::DashboardUserByEmail | Keyspace::DashboardSession => false,
    }
}

/// The number of rows in each keyspace that holds users.
async fn rows(app: &TestApp) -> Vec<(&'static str, usize)> {
    let mut rows = Vec::new();
    for keyspace in Keyspace::ALL.into_iter().filter(|keyspace| holds_users(*keyspace)) {
        rows.push((keyspace.name(), app.rows(keyspace).await));
    }
    rows
}

#[tokio::test]
async fn nothing_of_a_deleted_user_is_left_anywhere() {
    let app = group().await;
    for (name, count) in rows(&app).await {
        assert_ne!(count, 0, "the test leaves nothing in {name}: make it, or the deletion is not tested");
    }
    remove(&app, "b", None).await;
    for (name, count) in rows(&app).await {
        assert_eq!(count, 0, "{name}");
    }
    for id in ["a", "mine", "b", "c"] {
        assert_eq!(app.who_is(id).await, Value::Null, "{id}");
    }
}

#[tokio::test]
async fn sessions_of_a_deleted_user_tell_why_they_ended() {
    let app = two_tenants().await;
    app.people([by_password("a", 1, "a@x.io")]).await;
    let mut handles = Vec::new();
    for _ in 0..140 {
        handles.push(app.session("a").await.handle());
    }
    remove(&app, "a", None).await;
    assert_eq!(app.sessions_of("a").await, [""; 0]);
    for handle in [&handles[0], &handles[139]] {
        let told = app.get(&format!("/recipe/session/timeline?sessionHandle={handle}")).await.json();
        assert_eq!(told["events"][1]["call"], "POST /user/remove");
        assert_eq!(told["events"][1]["reason"], "user deletion");
        let summary = told["summary"].as_str().unwrap();
        assert!(summary.ends_with(": revoked by user deletion, with POST /user/remove (request test)."), "{summary}");
    }
}

#[tokio::test]
async fn sessions_tell_what_else_of_a_user_ended_them() {
    let app = two_tenants().await;
    app.people([by_password("a", 1, "a@x.io"), by_password("b", 2, "b@x.io")]).await;
    app.make_primary("a").await;
    let to_tenant = json!({"recipeUserId": "b"});
    app.post("/t1/recipe/multitenancy/tenant/user", to_tenant.clone()).await.ok();
    let in_tenant = app.post("/t1/recipe/session", new_session("b")).await.ok().handle();
    app.post("/t1/recipe/multitenancy/tenant/user/remove", to_tenant).await.ok();
    let before_linking = app.session("b").await.handle();
    app.link("b", "a").await;
    let linked = app.session("b").await.handle();
    app.post("/recipe/accountlinking/user/unlink", json!({"recipeUserId": "b"})).await.ok();
    for (handle, reason) in
        [(in_tenant, "removal from the tenant"), (before_linking, "account linking"), (linked, "account unlinking")]
    {
        let told = app.get(&format!("/recipe/session/timeline?sessionHandle={handle}")).await.json();
        assert_eq!((&told["events"][1]["event"], &told["events"][1]["reason"]), (&json!("revoked"), &json!(reason)));
    }
}

#[tokio::test]
async fn one_linked_method_goes_with_its_own_data_only() {
    let app = group().await;
    remove(&app, "b", Some(false)).await;
    assert_eq!(app.who_is("a").await["methods"], json!(["mine", "c"]));
    assert_eq!(app.who_is("b").await, Value::Null);
    assert_eq!([left(&app, "mine").await, left(&app, "b").await, left(&app, "c").await], [ALL, NOTHING, ALL]);
}

#[tokio::test]
async fn the_groups_id_and_data_outlive_the_method_that_founded_it() {
    let app = group().await;
    remove(&app, "mine", Some(false)).await;
    assert_eq!(app.who_is("c").await, json!({"id": "mine", "isPrimaryUser": true, "methods": ["b", "c"]}));
    assert_eq!(left(&app, "mine").await, ALL);
    remove(&app, "a", Some(false)).await;
    assert_eq!(app.who_is("mine").await["methods"], json!(["b", "c"]), "no method has that id any longer");
    remove(&app, "b", Some(false)).await;
    assert_eq!([left(&app, "mine").await, left(&app, "b").await], [ALL, NOTHING]);
    remove(&app, "c", Some(false)).await;
    assert_eq!([left(&app, "mine").await, left(&app, "c").await], [NOTHING, NOTHING]);
    assert!(rows(&app).await.iter().all(|(_, count)| *count == 0));
}

#[tokio::test]
async fn reset_tokens_go_with_the_login_method_that_they_are_for() {
    for (path, body) in [
        ("/user/remove", json!({"userId": "mine", "removeAllLinkedAccounts": false})),
        ("/recipe/accountlinking/user/unlink", json!({"recipeUserId": "mine"})),
    ] {
        let app = two_tenants().await;
        app.people([mapped("mine", by_password("a", 1, "a@x.io")), by_phone("b", 2, "+49")]).await;
        app.group(&["a", "b"]).await;
        let reset = json!({"userId": "mine", "email": "a@x.io"});
        app.post("/recipe/user/password/reset/token", reset).await.ok();
        let tokens = async || {
            let rows = rows(&app).await;
            rows.into_iter()
                .filter(|(name, _)| name.starts_with("password_reset"))
                .map(|(_, count)| count)
                .sum::<usize>()
        };
        assert_ne!(tokens().await, 0);
        app.post(path, body).await.ok();
        assert_eq!(tokens().await, 0, "{path}");
        assert_eq!(app.who_is("mine").await["methods"], json!(["b"]));
    }
}

#[tokio::test]
async fn a_group_without_its_founder_goes_by_any_of_its_ids() {
    for id in ["a", "mine", "c"] {
        let app = group().await;
        remove(&app, "a", Some(false)).await;
        remove(&app, id, Some(true)).await;
        assert!(rows(&app).await.iter().all(|(_, count)| *count == 0), "{id}");
    }
}

#[tokio::test]
async fn what_stands_under_somebody_elses_internal_id_is_not_touched() {
    let app = two_tenants().await;
    // Callers can force this.
    app.people([by_password("b", 1, "b@x.io"), mapped("b", by_password("a", 1, "a@x.io"))]).await;
    live(&app, "b").await;
    remove(&app, "a", None).await;
    assert_eq!(left(&app, "b").await, ALL);
    assert_eq!(app.who_is("b").await["id"], "b");
    assert_eq!(app.who_is("a").await, Value::Null);
}

#[tokio::test]
async fn an_id_of_nobody_is_fine_and_its_data_stays() {
    let app = two_tenants().await;
    live(&app, "x").await;
    remove(&app, "x", None).await;
    remove(&app, "x", Some(false)).await;
    assert_eq!(left(&app, "x").await, ALL);
    app.post("/user/remove", json!({})).await.is_text(400, "Field name 'userId' is invalid in JSON input");
    app.post("/t1/user/remove", json!({"userId": "x"}))
        .await
        .is_text(403, "Only public tenantId can call this app specific API");
}

#[tokio::test]
async fn an_address_is_free_again() {
    let app = group().await;
    remove(&app, "mine", Some(true)).await;
    app.people([mapped("mine", by_password("n", 9, "a@x.io"))]).await;
    assert_eq!(app.make_primary("mine").await["status"], "OK");
}

#[tokio::test]
async fn who_is_mapped_to_its_own_or_a_relatives_id_leaves_nothing() {
    for (mapped_id, external) in [("a", "a"), ("b", "a"), ("a", "b")] {
        let app = two_tenants().await;
        app.people([by_password("a", 1, "a@x.io"), by_password("b", 2, "b@x.io")]).await;
        app.group(&["a", "b"]).await;
        let map = json!({"superTokensUserId": mapped_id, "externalUserId": external, "force": true});
        app.post("/recipe/userid/map", map).await.ok();
        live(&app, "a").await;
        live(&app, "b").await;
        remove(&app, "a", None).await;
        for (name, count) in rows(&app).await {
            assert_eq!(count, 0, "{mapped_id} mapped to {external}: {name}");
        }
    }
}

#[tokio::test]
async fn data_under_a_groups_id_that_ended_with_its_last_link_stays_under_it() {
    let app = group().await;
    remove(&app, "mine", Some(false)).await;
    remove(&app, "c", Some(false)).await;
    app.post("/recipe/accountlinking/user/unlink", json!({"recipeUserId": "b"})).await.ok();
    assert_eq!(app.who_is("mine").await, Value::Null);
    let (sessions, roles, ..) = left(&app, "mine").await;
    assert_eq!((sessions, roles), (0, 2), "sessions end, the caller has to move the rest");
    assert_eq!(left(&app, "b").await.1, 2);
}

#[tokio::test]
async fn a_linked_method_takes_its_mapping_along_and_a_founder_leaves_its_own() {
    let app = two_tenants().await;
    app.people([
        mapped("one", by_password("a", 1, "a@x.io")),
        mapped("two", by_password("b", 2, "b@x.io")),
        mapped("three", by_phone("c", 3, "+49")),
    ])
    .await;
    app.group(&["a", "b", "c"]).await;
    let mapping = async |id: &str| app.get(&format!("/recipe/userid/map?userId={id}")).await.json();
    let unknown = json!({"status": "UNKNOWN_MAPPING_ERROR"});
    remove(&app, "two", Some(false)).await;
    assert_eq!([mapping("two").await, mapping("b").await], [unknown.clone(), unknown.clone()]);
    remove(&app, "one", Some(false)).await;
    for id in ["one", "a"] {
        assert_eq!((&mapping(id).await["externalUserId"], &app.who_is(id).await["id"]), (&json!("one"), &json!("one")));
    }
    assert_eq!(app.get("/users").await.json()["users"][0]["id"], "one", "the group is listed under its id");
    remove(&app, "three", Some(false)).await;
    for id in ["one", "a", "three", "c"] {
        assert_eq!(mapping(id).await, unknown, "{id}");
    }
    assert_eq!(app.get("/users").await.json()["users"], json!([]));
}

#[tokio::test]
async fn who_is_alone_goes_as_a_whole_whatever_is_asked_for() {
    for (id, primary, all) in
        [("a", false, Some(false)), ("mine", false, None), ("mine", true, Some(false)), ("a", true, Some(true))]
    {
        let app = two_tenants().await;
        app.people([mapped("mine", by_password("a", 1, "a@x.io"))]).await;
        if primary {
            app.make_primary("a").await;
        }
        live(&app, "mine").await;
        assert_eq!(left(&app, "mine").await, ALL);
        remove(&app, id, all).await;
        for (name, count) in rows(&app).await {
            assert_eq!(count, 0, "{id} {all:?}: {name}");
        }
        assert_eq!(app.get("/users/count").await.json()["count"], 0);
    }
}

#[tokio::test]
async fn a_person_goes_in_one_transaction() {
    let app = group().await;
    let commits = app.context.store.stats().commits;
    remove(&app, "c", None).await;
    assert_eq!(app.context.store.stats().commits, commits + 1);
    assert!(rows(&app).await.iter().all(|(_, count)| *count == 0));
}

#[tokio::test]
async fn every_version_deletes_and_tells_the_two_ways_apart() {
    for version in EVERY_VERSION {
        let app = TestApp::new().await;
        app.people(["a", "b", "c"].map(|id| by_password(id, 1, &format!("{id}@x.io")))).await;
        app.group(&["a", "b", "c"]).await;
        let alone = json!({"userId": "b", "removeAllLinkedAccounts": false});
        app.post("/user/remove", alone).cdi(version).await.ok();
        assert_eq!(app.who_is("a").await["methods"], json!(["a", "c"]), "{version}");
        app.post("/user/remove", json!({"userId": "c"})).cdi(version).await.ok();
        assert_eq!(app.who_is("a").await, Value::Null, "{version}");
    }
}

#[tokio::test]
async fn no_type_but_the_right_one_is_taken_and_a_refusal_changes_nothing() {
    let app = group().await;
    let before = app.stored().await;
    for wrong in [json!(null), json!(1), json!(true), json!(["b"]), json!({"id": "b"})] {
        let reply = app.post("/user/remove", json!({"userId": wrong})).await;
        reply.is_text(400, "Field name 'userId' is invalid in JSON input");
    }
    for wrong in [json!(null), json!(0), json!("false"), json!([false]), json!({})] {
        let reply = app.post("/user/remove", json!({"userId": "b", "removeAllLinkedAccounts": wrong})).await;
        reply.is_text(400, "Field name 'removeAllLinkedAccounts' is invalid in JSON input");
    }
    app.post("/user/remove", json!(["b"])).await.is_text(400, "Invalid Json Input");
    for nobody in ["", " b", "B", "b@x.io"] {
        remove(&app, nobody, None).await;
        remove(&app, nobody, Some(false)).await;
    }
    assert!(app.stored().await == before);
}
