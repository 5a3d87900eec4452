use super::life::{live, wait};
use super::{created, put_app, put_domain, put_tenant};
use crate::app::{TestApp, TestReply, new_session};
use crate::hooks::receiver::SECRET;
use crate::people::with_cheap_passwords;
use crate::store::rows_of;
use serde_json::{Value, json};
use sessiond::domain::ids::AppId;
use sessiond::store::key::Belongs;
use sessiond::store::memory::MemoryEngine;
use sessiond::store::removal::{self, RemovalTarget};
use sessiond::store::{Engine, Keyspace};
use std::collections::BTreeMap;
use std::sync::Arc;

async fn remove(app: &TestApp, path: &str, body: Value) -> TestReply {
    app.post(&format!("{path}/remove"), body).await
}

#[track_caller]
fn existed(reply: &TestReply, did_exist: bool) {
    assert_eq!(reply.json(), json!({"status": "OK", "didExist": did_exist}), "{}", reply.body());
}

/// Rows per keyspace.
async fn census(store: &dyn Engine) -> BTreeMap<&'static str, usize> {
    let mut rows = BTreeMap::new();
    for keyspace in Keyspace::ALL {
        rows.insert(keyspace.name(), rows_of(store, keyspace).await.len());
    }
    rows
}

const TENANT: &str = "/recipe/multitenancy/tenant";
const APP: &str = "/recipe/multitenancy/app";
const DOMAIN: &str = "/recipe/multitenancy/connectionuridomain";

#[tokio::test]
async fn removing_says_whether_it_was_there() {
    let app = TestApp::new().await;
    put_tenant(&app, "", "t1", json!({})).await.ok();
    existed(&remove(&app, TENANT, json!({"tenantId": " T1 "})).await, true);
    existed(&remove(&app, TENANT, json!({"tenantId": "t1"})).await, false);
    put_app(&app, "a1", json!({})).await.ok();
    existed(&remove(&app, APP, json!({"appId": "A1"})).await, true);
    existed(&remove(&app, APP, json!({"appId": "a1"})).await, false);
    put_domain(&app, "one.io", json!({})).await.ok();
    existed(&remove(&app, DOMAIN, json!({"connectionUriDomain": "One.io:80"})).await, true);
    existed(&remove(&app, DOMAIN, json!({"connectionUriDomain": "one.io"})).await, false);
    assert!(!app.context.directory.has_connection_uri_domain("one.io"));
    created(&put_app(&app, "a1", json!({})).await, true);
}

#[tokio::test]
async fn removal_is_for_the_public_entries_only() {
    let app = TestApp::new().await;
    put_tenant(&app, "", "t1", json!({})).await.ok();
    put_app(&app, "a1", json!({})).await.ok();
    put_domain(&app, "one.io", json!({})).await.ok();
    remove(&app, &format!("/t1{TENANT}"), json!({"tenantId": "t1"}))
        .await
        .is_text(403, "Only the public tenantId is allowed to delete a tenant");
    for prefix in ["/t1", "/appid-a1"] {
        remove(&app, &format!("{prefix}{APP}"), json!({"appId": "a1"}))
            .await
            .is_text(403, "Only the public tenantId and public appId is allowed to delete an app");
        remove(&app, &format!("{prefix}{DOMAIN}"), json!({"connectionUriDomain": "one.io"})).await.is_text(
            403,
            "Only the public tenantId, public appId and default connectionUriDomain is allowed to delete a \
             connectionUriDomain",
        );
    }
    remove(&app, TENANT, json!({"tenantId": "public"}))
        .await
        .is_text(403, "Cannot delete public tenant, use remove app API instead");
    remove(&app, APP, json!({"appId": "public"}))
        .await
        .is_text(403, "Cannot delete the public app, use remove connection uri domain API instead");
    remove(&app, DOMAIN, json!({"connectionUriDomain": ""}))
        .await
        .is_text(403, "Cannot delete the default connection uri domain");
    // What cannot be removed at all is said first.
    remove(&app, &format!("/t1{TENANT}"), json!({"tenantId": "public"}))
        .await
        .is_text(403, "Cannot delete public tenant, use remove app API instead");
    remove(&app, &format!("/appid-a1{APP}"), json!({"appId": "public"}))
        .await
        .is_text(403, "Cannot delete the public app, use remove connection uri domain API instead");
    for (path, field) in [(TENANT, "tenantId"), (APP, "appId"), (DOMAIN, "connectionUriDomain")] {
        remove(&app, path, json!({})).await.is_text(400, &format!("Field name '{field}' is invalid in JSON input"));
    }
}

#[tokio::test]
async fn what_has_members_is_not_removed() {
    let app = TestApp::new().await;
    put_app(&app, "a1", json!({})).await.ok();
    put_tenant(&app, "/appid-a1", "t1", json!({})).await.ok();
    remove(&app, APP, json!({"appId": "a1"}))
        .await
        .is_text(403, "Please delete all tenants except the public tenant for this app before calling the delete API");
    put_domain(&app, "one.io", json!({})).await.ok();
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).host("one.io").await.ok();
    remove(&app, DOMAIN, json!({"connectionUriDomain": "one.io"})).await.is_text(
        403,
        "Please delete all apps except the public appID for this connectionUriDomain before calling the delete API.",
    );
    assert_eq!(app.context.directory.apps().len(), 4);
}

/// Signs users in under a prefix, and out again for a timeline each; sends them tokens and gives them a role, the first
/// also metadata and an authenticator app.
async fn sessions(app: &TestApp, prefix: &str, count: usize) {
    let role = json!({"role": "admin", "permissions": ["read", "write"]});
    app.put(&format!("{prefix}/recipe/role"), role).cdi("4.0").await.ok();
    let metadata = json!({"userId": "user0", "metadataUpdate": {"a": 1}});
    app.put(&format!("{prefix}/recipe/user/metadata"), metadata).cdi("4.0").await.ok();
    let device = json!({"userId": "user0", "deviceName": "d", "skew": 1, "period": 30, "secretKey": "MZXW6YTB"});
    app.post(&format!("{prefix}/recipe/totp/device/import"), device).cdi("4.0").await;
    let attempt = json!({"userId": "user0", "totp": "no code"});
    let attempt = app.post(&format!("{prefix}/recipe/totp/verify"), attempt).await;
    assert_eq!(attempt.text_at("/status"), "INVALID_TOTP_ERROR");
    for index in 0..count {
        let path = format!("{prefix}/recipe/session");
        let handle = app.post(&path, new_session(&format!("user{index}"))).await.ok().handle();
        let assignment = json!({"userId": format!("user{index}"), "role": "admin"});
        app.put(&format!("{prefix}/recipe/user/role"), assignment).await.ok();
        if index % 3 == 0 {
            let body = json!({"sessionHandles": [handle]});
            app.post(&format!("{prefix}/recipe/session/remove"), body).await.ok();
        }
        let body = json!({"userId": format!("user{index}"), "email": format!("user{}@b.c", index / 2)});
        app.post(&format!("{prefix}/recipe/user/email/verify/token"), body).await.ok();
    }
}

#[tokio::test]
async fn nothing_that_belonged_to_a_tenant_or_an_app_is_left() {
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let app = TestApp::builder().store(Arc::clone(&store)).build().await;
    put_app(&app, "other", json!({})).await.ok();
    put_tenant(&app, "", "t", json!({})).await.ok();
    sessions(&app, "", 2).await;
    sessions(&app, "/t", 2).await;
    sessions(&app, "/appid-other", 2).await;
    put_app(&app, "app", json!({})).await.ok();
    sessions(&app, "/appid-app", 1).await;
    let mut with_app = census(&*store).await;
    put_tenant(&app, "/appid-app", "t", json!({"password_reset_token_lifetime": 5})).await.ok();
    sessions(&app, "/appid-app/t", 300).await;
    existed(&remove(&app, &format!("/appid-app{TENANT}"), json!({"tenantId": "t"})).await, true);
    // That a user was active is known of the app.
    with_app.insert("user_active", with_app["user_active"] + 299);
    // So is the audit log: the roles that were given.
    with_app.insert("audit_event", with_app["audit_event"] + 300);
    assert_eq!(census(&*store).await, with_app, "the tenant is gone, its app and others are untouched");

    sessions(&app, "/appid-app", 300).await;
    existed(&remove(&app, APP, json!({"appId": "app"})).await, true);
    let fresh = {
        let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
        let app = TestApp::builder().store(Arc::clone(&store)).build().await;
        put_app(&app, "other", json!({})).await.ok();
        put_tenant(&app, "", "t", json!({})).await.ok();
        sessions(&app, "", 2).await;
        sessions(&app, "/t", 2).await;
        sessions(&app, "/appid-other", 2).await;
        census(&*store).await
    };
    assert_eq!(census(&*store).await, fresh);
}

/// Looks for bytes in all keys of the store and, but for the audit log, in all values.
async fn mentions(store: &dyn Engine, needle: &str) -> Vec<&'static str> {
    let holds = |bytes: &[u8]| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
    let mut found = Vec::new();
    for keyspace in Keyspace::ALL {
        let rows = rows_of(store, keyspace).await;
        let told = keyspace == Keyspace::AuditEvent;
        if rows.iter().any(|(key, value)| holds(&key.bytes) || !told && holds(value)) {
            found.push(keyspace.name());
        }
    }
    found
}

#[tokio::test]
async fn nothing_of_any_recipe_is_left() {
    const TENANT_NAME: &str = "tenant-that-goes";
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let app = with_cheap_passwords().store(Arc::clone(&store)).build().await;
    let fresh = census(&*store).await;
    let hook = json!({"url": "https://hook.test/", "secret": SECRET, "events": ["*"]});
    put_app(&app, "app", json!({"event_hooks": [hook]})).await.ok();
    put_tenant(&app, "/appid-app", TENANT_NAME, json!({})).await.ok();
    let prefix = format!("/{TENANT_NAME}");
    live(&app, &format!("/appid-app{prefix}")).await;
    wait(&app, "/appid-app", &prefix).await;
    let held = mentions(&*store, TENANT_NAME).await;
    let holds_something = census(&*store).await;
    for keyspace in Keyspace::ALL {
        let (rows, name) = (holds_something[keyspace.name()] - fresh[keyspace.name()], keyspace.name());
        match keyspace {
            Keyspace::Meta => {}
            // Written by the command line only; removed there as here, with the app's prefix.
            Keyspace::UserImport => assert_eq!(rows, 0, "{name}: it is written here as well"),
            // Emptied at every start, before anything is served.
            Keyspace::UserListingV1 => {
                assert_eq!(rows, 0, "{name}: it is written again");
                continue;
            }
            _ => assert!(rows > 0, "the test leaves nothing in {name}: make it, or the removal is not tested"),
        }
        if matches!(keyspace.belongs(), Belongs::Tenant | Belongs::TenantIndex) {
            assert!(held.contains(&name), "the test leaves nothing of the tenant in {name}");
        }
    }
    existed(&remove(&app, &format!("/appid-app{TENANT}"), json!({"tenantId": TENANT_NAME})).await, true);
    assert_eq!(mentions(&*store, TENANT_NAME).await, Vec::<&str>::new());
    existed(&remove(&app, APP, json!({"appId": "app"})).await, true);
    assert_eq!(census(&*store).await, fresh);
}

#[tokio::test]
async fn a_session_of_a_removed_tenant_is_not_there_when_the_name_comes_back() {
    let app = TestApp::new().await;
    put_tenant(&app, "", "t1", json!({})).await.ok();
    let session = app.post("/t1/recipe/session", new_session("u")).await.ok();
    remove(&app, TENANT, json!({"tenantId": "t1"})).await.ok();
    let path = format!("/recipe/session?sessionHandle={}", session.handle());
    app.get(&path).await.is_text(
        400,
        "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination \
         not found: (, public, t1)",
    );
    put_tenant(&app, "", "t1", json!({})).await.ok();
    assert_eq!(app.get(&path).await.json()["status"], "UNAUTHORISED");
}

#[tokio::test]
async fn who_was_only_in_a_removed_tenant_stays_without_one() {
    let app = with_cheap_passwords().build().await;
    put_tenant(&app, "", "t1", json!({})).await.ok();
    let account = json!({"email": "a@x.io", "password": "correct horse"});
    let id = app.post("/t1/recipe/signup", account.clone()).await.ok().text_at("/user/id");
    remove(&app, TENANT, json!({"tenantId": "t1"})).await.ok();
    put_tenant(&app, "", "t1", json!({})).await.ok();
    let found = app.get(&format!("/user/id?userId={id}")).await.ok().json();
    assert_eq!(found["user"]["tenantIds"], json!([]));
    assert_eq!(found["user"]["loginMethods"][0]["tenantIds"], json!([]));
    for prefix in ["", "/t1"] {
        assert_eq!(app.get(&format!("{prefix}/users")).await.ok().json()["users"], json!([]), "{prefix}");
        let refused = app.post(&format!("{prefix}/recipe/signin"), account.clone()).await.json();
        assert_eq!(refused, json!({"status": "WRONG_CREDENTIALS_ERROR"}), "{prefix}");
    }
    let other = app.post("/t1/recipe/signup", account.clone()).await.ok().text_at("/user/id");
    assert_ne!(other, id, "the address is free");
    let back = app.post("/recipe/multitenancy/tenant/user", json!({"recipeUserId": id})).await.ok().json();
    assert_eq!(back["wasAlreadyAssociated"], false);
    app.post("/recipe/signin", account).await.ok();
}

#[tokio::test]
async fn a_removed_app_comes_back_with_other_keys() {
    let app = TestApp::new().await;
    put_app(&app, "a1", json!({})).await.ok();
    let session = app.post("/appid-a1/recipe/session", new_session("u")).await.ok();
    let token = session.access_token();
    let verify = || {
        let body =
            json!({"accessToken": token, "enableAntiCsrf": false, "doAntiCsrfCheck": false, "checkDatabase": false});
        app.post("/appid-a1/recipe/session/verify", body)
    };
    verify().await.ok();
    remove(&app, APP, json!({"appId": "a1"})).await.ok();
    put_app(&app, "a1", json!({})).await.ok();
    assert_ne!(verify().await.json()["status"], "OK");
}

#[tokio::test]
async fn a_removal_that_a_crash_interrupted_is_finished_at_the_start() {
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let app = TestApp::builder().store(Arc::clone(&store)).build().await;
    let before = census(&*store).await;
    put_app(&app, "a1", json!({})).await.ok();
    sessions(&app, "/appid-a1", 3).await;
    let id = AppId { connection_uri_domain: String::new(), app_id: "a1".to_owned() };
    let removed = RemovalTarget { app: id.clone(), tenant: None };
    let mut tx = store.begin();
    removal::begin(&mut *tx, &removed, app.context.now()).unwrap();
    sessiond::store::app::delete(&mut *tx, &id);
    tx.commit().await.unwrap();
    let app = TestApp::builder().store(Arc::clone(&store)).build().await;
    assert!(app.context.directory.app(&id).is_none());
    assert_eq!(census(&*store).await, before);
}

#[tokio::test]
async fn a_removal_that_failed_halfway_is_finished_before_the_name_is_used_again() {
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let app = TestApp::builder().store(Arc::clone(&store)).build().await;
    put_tenant(&app, "", "t1", json!({})).await.ok();
    sessions(&app, "/t1", 3).await;
    let left_over = census(&*store).await["session"];
    put_tenant(&app, "", "t2", json!({})).await.ok();
    let removed =
        |name: &str| RemovalTarget { app: AppId::base(), tenant: Some(sessiond::domain::ids::TenantId::new(name)) };
    let mut tx = store.begin();
    removal::begin(&mut *tx, &removed("t1"), app.context.now()).unwrap();
    tx.commit().await.unwrap();
    assert!(left_over > 0);
    put_tenant(&app, "", "t1", json!({})).await.ok();
    let rows = census(&*store).await;
    assert_eq!((rows["session"], rows["meta"]), (0, census_of_meta_in_a_new_store().await));
}

async fn census_of_meta_in_a_new_store() -> usize {
    let store: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let _app = TestApp::builder().store(Arc::clone(&store)).build().await;
    census(&*store).await["meta"]
}
