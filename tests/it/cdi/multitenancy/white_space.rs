//! Settings of apps and tenants: white space around a value, and IP rules that are already stored.

use super::life::app_id;
use super::{put_app, put_tenant};
use crate::app::TestApp;
use crate::config::white_space::{BLANKS, sample};
use serde_json::{Map, Value, json};
use sessiond::config::settings::{self, Level};
use sessiond::domain::ids::TenantId;
use sessiond::domain::json::JsonObject;
use sessiond::store;
use sessiond::store::memory::MemoryEngine;
use std::sync::Arc;

const RULES: [&str; 2] = ["ip_allow_regex", "ip_deny_regex"];

/// The effective settings of an app, by key.
async fn effective(app: &TestApp) -> Map<String, Value> {
    let reply = app.get("/appid-a1/recipe/dashboard/tenant/core-config").await.ok().json();
    let rows = reply["config"].as_array().unwrap();
    rows.iter().map(|row| (row["key"].as_str().unwrap().to_owned(), row["value"].clone())).collect()
}

#[tokio::test]
async fn white_space_around_a_setting_of_an_app_does_not_count() {
    let app = TestApp::new().await;
    let own = settings::ALL.iter().filter(|setting| setting.level != Level::Core && !RULES.contains(&setting.key));
    let own: Vec<_> = own.map(|setting| (setting.key, sample(setting))).collect();
    let clean: Map<String, Value> = own.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    let no_keys = |mut config: Map<String, Value>| {
        config.remove("api_keys");
        Value::Object(config)
    };
    put_app(&app, "a1", no_keys(clean)).await.ok();
    let wanted = effective(&app).await;
    assert_eq!(wanted["totp_max_attempts"], json!(6));
    for blank in BLANKS {
        let config = own.iter().map(|(key, value)| ((*key).to_owned(), json!(format!("{blank}{value}{blank}"))));
        put_app(&app, "a1", no_keys(config.collect())).await.ok();
        assert_eq!(effective(&app).await, wanted, "{blank:?}");
    }
}

#[tokio::test]
async fn rules_and_keys_of_an_app_are_those_between_the_white_space() {
    const KEY: &str = "abcdefghijklmnopqrstuvwx";
    for (index, blank) in BLANKS.into_iter().enumerate() {
        let app = TestApp::new().await;
        let around = |value: &str| format!("{blank}{value}{blank}");
        let rules = json!({"ip_deny_regex": around(r"192\.0\.2\.1"), "ip_allow_regex": around(r"(192|127)\..*")});
        put_app(&app, "a1", rules).await.ok();
        put_tenant(&app, "/appid-a1", "t1", json!({"ip_deny_regex": around(r"192\.0\.2\.2")})).await.ok();
        for (path, peer, code) in [
            ("/appid-a1/hello", "192.0.2.1", 403),
            ("/appid-a1/hello", "10.0.0.1", 403),
            ("/appid-a1/hello", "192.0.2.2", 200),
            ("/appid-a1/t1/hello", "192.0.2.2", 403),
            ("/appid-a1/t1/hello", "127.0.0.1", 200),
        ] {
            assert_eq!(app.get(path).from(peer).await.code(), code, "{blank:?} {path} {peer}");
        }
        put_app(&app, "a2", json!({"api_keys": format!("{}, {blank}{KEY}{index}", around(KEY))})).await.ok();
        app.get("/appid-a2/recipe/session/user?userId=u").await.is_text(401, "Invalid API key");
        assert_eq!(app.get("/appid-a2/recipe/session/user?userId=u").key(KEY).await.code(), 200);
    }
}

#[tokio::test]
async fn what_cannot_be_seen_inside_a_value_is_refused() {
    let app = TestApp::new().await;
    let refused = async |config: Value, sentence: &str| {
        put_app(&app, "a1", config).await.is_text(400, &format!("Invalid core config: {sentence}"));
    };
    refused(json!({"totp_max_attempts": "1\u{200b}2"}), r#"'totp_max_attempts' must be of type int, not "1\u{200b}2""#)
        .await;
    refused(json!({"totp_max_attempts": "many"}), "'totp_max_attempts' must be of type int").await;
    refused(
        json!({"saml_sp_entity_id": "a\u{a0}b"}),
        r#"'saml_sp_entity_id' holds the invisible character \u{a0}: "a\u{a0}b""#,
    )
    .await;
    refused(
        json!({"firebase_password_hashing_signer_key": "c2ln\nbmVy"}),
        r"'firebase_password_hashing_signer_key' holds the invisible character \n",
    )
    .await;
    refused(
        json!({"ip_deny_regex": r"10\..* | 192\..*"}),
        r#"Provided regular expression is invalid for ip_deny_regex config: "10\\..* | 192\\..*" looks for " ", which is in no address"#,
    )
    .await;
}

/// Rules that older versions accepted or that can no longer be parsed: settings of tenants are not refused at startup.
#[tokio::test]
async fn a_stored_rule_never_opens_by_being_refused_now() {
    let engine = Arc::new(MemoryEngine::new());
    let app = TestApp::builder().store(engine.clone()).build().await;
    for id in ["lines", "broken", "allow"] {
        put_app(&app, id, json!({})).await.ok();
    }
    for (id, config) in [
        ("lines", json!({"ip_deny_regex": "192\\.0\\.2\\.1| 10\\..*\n"})),
        ("broken", json!({"ip_deny_regex": "("})),
        ("allow", json!({"ip_allow_regex": "(?<"})),
    ] {
        let mut tx = store::Engine::begin(&*engine);
        let (app, public) = (app_id(id), TenantId::public());
        let mut tenant = store::tenant::get(&mut *tx, &app, &public).await.unwrap().unwrap();
        tenant.core_config = JsonObject::from_map(config.as_object().unwrap());
        store::tenant::put(&mut *tx, &app, &public, &tenant).unwrap();
        tx.commit().await.unwrap();
    }
    let app = TestApp::builder().store(engine).build().await;
    for (path, peer, code) in [
        ("/appid-lines/hello", "192.0.2.1", 403),
        ("/appid-lines/hello", "192.0.2.2", 200),
        ("/appid-broken/hello", "192.0.2.2", 403),
        ("/appid-allow/hello", "192.0.2.2", 403),
    ] {
        assert_eq!(app.get(path).from(peer).await.code(), code, "{path} {peer}");
    }
}
