//! Sessions of tenants, apps and connection URI domains side by side.

use super::{is_status, refresh, verify, verify_in_database};
use crate::app::{TestApp, new_session};
use crate::cdi::golden::claims;
use serde_json::{Value, json};
use sessiond::domain::ids::{AppId, TenantId};
use sessiond::store::memory::MemoryEngine;
use sessiond::store::{self, Key, tenant};
use std::sync::Arc;

/// An app with the tenants `t1` and `t2` and a second app `a1`.
async fn app() -> TestApp {
    let app = TestApp::new().await;
    for tenant in ["t1", "t2"] {
        app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": tenant})).await.ok();
    }
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    app
}

fn handles(reply: &Value) -> Vec<String> {
    let member = reply.get("sessionHandles").or_else(|| reply.get("sessionHandlesRevoked"));
    let mut handles: Vec<String> = serde_json::from_value(member.cloned().expect("handles")).expect("handles");
    handles.sort();
    handles
}

#[tokio::test]
async fn a_session_belongs_to_the_paths_tenant() {
    let app = app().await;
    let created = app.post("/T1/recipe/session", new_session("u")).await.ok();
    assert_eq!(created.json()["session"]["tenantId"], "t1");
    assert!(created.handle().ends_with("_t1"), "{}", created.handle());
    assert_eq!(claims(&created.access_token())["tId"], "t1");
    let shown = app.get(&format!("/recipe/session?sessionHandle={}", created.handle())).await.ok().json();
    assert_eq!((&shown["tenantId"], &shown["sessionHandle"]), (&"t1".into(), &created.handle().into()));
}

#[tokio::test]
async fn its_tokens_work_from_any_tenant_of_the_app() {
    let app = app().await;
    let created = app.post("/t1/recipe/session", new_session("u")).await.ok();
    let body = json!({
        "accessToken": created.access_token(), "doAntiCsrfCheck": false, "enableAntiCsrf": false, "checkDatabase": true
    });
    for prefix in ["", "/public", "/t1", "/t2"] {
        let reply = app.post(&format!("{prefix}/recipe/session/verify"), body.clone()).cdi("5.5").await.ok();
        assert_eq!(reply.json()["session"]["tenantId"], "t1");
        let body =
            json!({"refreshToken": created.refresh_token(), "enableAntiCsrf": false, "useDynamicSigningKey": true});
        let reply = app.post(&format!("{prefix}/recipe/session/refresh"), body).cdi("5.5").await.ok();
        assert_eq!(reply.json()["session"]["tenantId"], "t1");
    }
}

#[tokio::test]
async fn lists_and_removals_are_of_one_tenant_or_of_all() {
    let app = app().await;
    let mut all = Vec::new();
    for prefix in ["", "/t1", "/t2"] {
        all.push(app.post(&format!("{prefix}/recipe/session"), new_session("u")).await.ok().handle());
    }
    let in_t1 = all[1].clone();
    all.sort();
    let list = async |path: &str| handles(&app.get(path).await.ok().json());
    assert_eq!(list("/recipe/session/user?userId=u").await, all);
    assert_eq!(list("/recipe/session/user?userId=u&fetchAcrossAllTenants=true").await, all);
    assert_eq!(
        list("/t1/recipe/session/user?userId=u&fetchAcrossAllTenants=false").await,
        std::slice::from_ref(&in_t1)
    );

    let body = json!({"userId": "u", "revokeAcrossAllTenants": false});
    assert_eq!(handles(&app.post("/t1/recipe/session/remove", body).await.ok().json()), std::slice::from_ref(&in_t1));
    all.retain(|handle| *handle != in_t1);
    assert_eq!(handles(&app.post("/recipe/session/remove", json!({"userId": "u"})).await.ok().json()), all);
    assert!(list("/recipe/session/user?userId=u").await.is_empty());
}

#[tokio::test]
async fn a_tenant_in_the_path_must_exist_when_it_matters() {
    let app = app().await;
    for path in ["/none/recipe/session/user?userId=u&fetchAcrossAllTenants=false"] {
        assert_eq!(app.get(path).await.code(), 400);
    }
    let body = json!({"userId": "u", "revokeAcrossAllTenants": false});
    assert_eq!(app.post("/none/recipe/session/remove", body).await.code(), 400);
    assert_eq!(app.post("/none/recipe/handshake", json!({})).cdi("2.20").await.code(), 404);
}

#[tokio::test]
async fn another_app_knows_nothing_of_it() {
    let app = app().await;
    let created = app.session("u").await;
    let there = |path: &str| format!("/appid-a1{path}");
    let show = there(&format!("/recipe/session?sessionHandle={}", created.handle()));
    is_status(&app.get(&show).await, "UNAUTHORISED", Some("Session does not exist."));
    let body = json!({
        "accessToken": created.access_token(), "doAntiCsrfCheck": false, "enableAntiCsrf": false, "checkDatabase": false
    });
    is_status(&app.post(&there("/recipe/session/verify"), body).await, "TRY_REFRESH_TOKEN", None);
    let body = json!({"refreshToken": created.refresh_token(), "enableAntiCsrf": false, "useDynamicSigningKey": true});
    is_status(&app.post(&there("/recipe/session/refresh"), body).await, "UNAUTHORISED", None);
    let body = json!({"sessionHandles": [created.handle()]});
    assert!(handles(&app.post(&there("/recipe/session/remove"), body).await.ok().json()).is_empty());
    assert!(handles(&app.get(&there("/recipe/session/user?userId=u")).await.ok().json()).is_empty());
    is_status(&verify_in_database(&app, "5.6", &created.access_token()).await, "OK", None);
    let keys = async |path: String| app.get(&path).await.json()["keys"].clone();
    assert_ne!(keys(there("/.well-known/jwks.json")).await, keys("/.well-known/jwks.json".to_owned()).await);
}

#[tokio::test]
async fn an_app_has_its_own_keys_versions_and_lifetimes() {
    let app = TestApp::new().await;
    let config = json!({
        "api_keys": "abcdefghijklmnopqrstuvwxyz", "access_token_validity": 10, "access_token_validity_jitter": 0,
        "supertokens_max_cdi_version": "3.1",
    });
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1", "coreConfig": config})).await.ok();
    let path = "/appid-a1/recipe/session";
    app.post(path, new_session("u")).await.is_text(401, "Invalid API key");
    let create = || app.post(path, new_session("u")).key("abcdefghijklmnopqrstuvwxyz");
    let reply = create().await.ok().json();
    assert_eq!(reply["accessToken"]["expiry"], crate::app::START.0 + 10_000);
    assert_eq!(reply["session"].as_object().map(serde_json::Map::len), Some(4));
    create().cdi("4.0").await.is_text(400, "cdi-version 4.0 not supported");
    app.session("u").await;
}

#[tokio::test]
async fn a_connection_uri_domain_is_chosen_by_the_host() {
    let app = TestApp::builder().setting("allowed_hosts", "*.example.com").build().await;
    let body = json!({"connectionUriDomain": "auth.example.com"});
    app.put("/recipe/multitenancy/connectionuridomain/v2", body).await.ok();
    let at = |host: &str| app.post("/recipe/session", new_session("u")).host(host);
    let show = |handle: &str, host: &str| app.get(&format!("/recipe/session?sessionHandle={handle}")).host(host);
    let there = at("Auth.Example.com:3567").await.ok().handle();
    is_status(&show(&there, "auth.example.com").await, "OK", None);
    is_status(&show(&there, "localhost:3567").await, "UNAUTHORISED", None);
    let base = at("other.example.com").await.ok().handle();
    for host in ["localhost", "127.0.0.1:3567", "[::1]:3567", "www.auth.example.com"] {
        is_status(&show(&base, host).await, "OK", None);
    }
    is_status(&show(&base, "auth.example.com").await, "UNAUTHORISED", None);
    app.get("/appid-none/hello").host("auth.example.com").await.is_text(
        400,
        "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination \
         not found: (auth.example.com, none, public)",
    );
}

#[tokio::test]
async fn only_one_domain_may_be_served() {
    let store = Arc::new(MemoryEngine::new());
    let app = TestApp::builder().store(Arc::clone(&store) as _).build().await;
    for domain in ["one.example.com", "two.example.com"] {
        let body = json!({"connectionUriDomain": domain});
        app.put("/recipe/multitenancy/connectionuridomain/v2", body).await.ok();
    }
    let only = TestApp::builder().setting("supertokens_saas_load_only_cud", "one.example.com");
    let app = only.store(store).build().await;
    for path in ["/hello", "/recipe/session/user?userId=u", "/nothing/here"] {
        app.get(path).host("two.example.com").await.is_text(400, "Connection URI domain is disallowed");
    }
    app.get("/hello").host("one.example.com").await.is_text(200, "Hello");
    app.get("/hello").host("three.example.com").await.is_text(200, "Hello");
}

#[tokio::test]
async fn ip_rules_may_differ_per_tenant() {
    let app = TestApp::new().await;
    let body = json!({"tenantId": "t1", "coreConfig": {"ip_deny_regex": "10.*"}});
    app.put("/recipe/multitenancy/tenant/v2", body).await.ok();
    app.post("/t1/recipe/session", new_session("u")).from("10.0.0.1").await.is_text(403, "");
    app.post("/t1/recipe/session", new_session("u")).from("11.0.0.1").await.ok();
    app.post("/recipe/session", new_session("u")).from("10.0.0.1").await.ok();
}

#[tokio::test]
async fn the_root_of_a_tenant_answers_once_the_tenant_exists() {
    let app = app().await;
    app.get("/t1").await.is_text(200, "Hello");
    app.get("/t3").await.is_text(404, "Not found");
    app.get("/appid-a1").await.is_text(200, "Hello");
    app.get("/appid-a1/t1").await.is_text(404, "Not found");
}

#[tokio::test]
async fn tenants_begin_with_3_0() {
    let app = app().await;
    let created = app.post("/t1/recipe/session", new_session("u")).cdi("3.0").await.ok();
    is_status(&verify(&app, "3.0", &created.access_token()).await, "OK", None);
    is_status(&refresh(&app, "3.0", &created.refresh_token()).await, "OK", None);
    app.post("/t1/recipe/session", new_session("u")).cdi("2.21").await.is_text(404, "Not found");
}

const UNKNOWN: &str = "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId \
                       combination not found: ";

/// Deletes a record as another request would that commits while this one runs: the directory still has it.
async fn gone_meanwhile(app: &TestApp, row: Key) {
    let mut tx = app.context.store.begin();
    tx.delete(row);
    tx.commit().await.expect("a commit");
}

#[tokio::test]
async fn a_tenant_removed_while_a_session_is_created_is_an_unknown_tenant() {
    let app = app().await;
    app.session("u").await;
    gone_meanwhile(&app, tenant::key(&AppId::base(), &TenantId::new("t1"))).await;
    let reply = app.post("/t1/recipe/session", new_session("u")).await;
    reply.is_text(400, &format!("{UNKNOWN}(, public, t1)"));
}

#[tokio::test]
async fn an_app_removed_before_its_first_key_is_an_unknown_app() {
    let app = app().await;
    let id = AppId { app_id: "a1".to_owned(), ..AppId::base() };
    gone_meanwhile(&app, store::app::key(&id)).await;
    let reply = app.post("/appid-a1/recipe/session", new_session("u")).await;
    reply.is_text(400, &format!("{UNKNOWN}(, a1, public)"));
}

#[tokio::test]
async fn the_ring_in_memory_does_not_serve_an_app_that_is_gone() {
    let app = app().await;
    let id = AppId { app_id: "a1".to_owned(), ..AppId::base() };
    app.get("/appid-a1/.well-known/jwks.json").await;
    gone_meanwhile(&app, store::app::key(&id)).await;
    // The key's week is over, but not the hour in which it may stand in.
    app.clock.advance(168 * 3_600_000);
    let reply = app.get("/appid-a1/.well-known/jwks.json").await;
    reply.is_text(400, &format!("{UNKNOWN}(, a1, public)"));
}
