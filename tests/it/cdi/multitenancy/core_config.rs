use super::{created, put_app, put_domain, put_tenant};
use crate::app::TestApp;
use serde_json::{Value, json};

const KEY: &str = "abcdefghijklmnopqrstuvwx";
const OTHER_KEY: &str = "zyxwvutsrqponmlkjihgfedc";

async fn shown(app: &TestApp, prefix: &str) -> Value {
    app.get(&format!("{prefix}/recipe/multitenancy/tenant/v2")).await.ok().json()["coreConfig"].clone()
}

#[tokio::test]
async fn given_keys_overwrite_and_null_removes() {
    let app = TestApp::new().await;
    put_app(&app, "a1", json!({"access_token_validity": 10, "refresh_token_validity": "500"})).await.ok();
    put_app(&app, "a1", json!({"access_token_validity": 20})).await.ok();
    assert_eq!(shown(&app, "/appid-a1").await, json!({"access_token_validity": 20, "refresh_token_validity": "500"}));
    put_app(&app, "a1", json!({"access_token_validity": null})).await.ok();
    assert_eq!(shown(&app, "/appid-a1").await, json!({"refresh_token_validity": "500"}));
}

#[tokio::test]
async fn null_for_a_key_that_is_not_stored_means_the_built_in_value() {
    let app = TestApp::builder().setting("api_keys", KEY).build().await;
    let put =
        |config: Value| app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1", "coreConfig": config})).key(KEY);
    created(&put(json!({"api_keys": null})).await, true);
    let path = "/appid-a1/recipe/multitenancy/tenant/v2";
    assert_eq!(app.get(path).await.ok().json()["coreConfig"], json!({"api_keys": null}), "no key is needed");
    put(json!({"api_keys": null})).await.ok();
    app.get(path).await.is_text(401, "Invalid API key");
}

#[tokio::test]
async fn the_base_tenant_takes_no_settings() {
    let app = TestApp::new().await;
    for path in ["tenant/v2", "app/v2", "connectionuridomain/v2", "tenant", "app"] {
        let path = format!("/recipe/multitenancy/{path}");
        app.put(&path, json!({"coreConfig": {"no_such_key": 1}})).await.is_text(400, "Cannot modify base config");
        created(&app.put(&path, json!({"coreConfig": {}})).await, false);
    }
}

#[tokio::test]
async fn values_are_refused_with_their_sentences_and_nothing_is_created() {
    let app = TestApp::new().await;
    for (config, sentence) in [
        (json!({"no_such_key": 1}), "Invalid config key: no_such_key"),
        (json!({"postgresql_connection_uri": "x"}), "Invalid config key: postgresql_connection_uri"),
        (json!({"access_token_validity": "1.0"}), "'access_token_validity' must be of type long"),
        (json!({"access_token_validity": 1.5}), "'access_token_validity' must be of type long"),
        (json!({"totp_max_attempts": 3_000_000_000_u64}), "'totp_max_attempts' must be of type int"),
        (json!({"refresh_token_validity": "x"}), "'refresh_token_validity' must be of type double"),
        (json!({"refresh_token_validity": {}}), "'refresh_token_validity' must be of type double"),
        (json!({"disable_telemetry": 1}), "'disable_telemetry' must be of type boolean"),
        (json!({"ip_allow_regex": ["a", "b"]}), "'ip_allow_regex' must be of type String"),
        (
            json!({"access_token_validity": 0}),
            "'access_token_validity' must be between 1 and 86400000 seconds inclusive.",
        ),
        (
            json!({"access_token_validity": 60, "refresh_token_validity": 1}),
            "'refresh_token_validity' must be strictly greater than 'access_token_validity'.",
        ),
        (
            json!({"access_token_dynamic_signing_key_update_interval": "0.5"}),
            "'access_token_dynamic_signing_key_update_interval' must be greater than, equal to 1 hour.",
        ),
        (
            json!({"refresh_token_rotation_grace_period": 301}),
            "'refresh_token_rotation_grace_period' must be between 0 and 300 seconds inclusive.",
        ),
        (
            json!({"access_token_validity_jitter": 0.3}),
            "'access_token_validity_jitter' must be between 0 and 0.25 inclusive.",
        ),
        (json!({"password_reset_token_lifetime": 0}), "'password_reset_token_lifetime' must be >= 0"),
        (json!({"passwordless_code_lifetime": 0}), "'passwordless_code_lifetime' must be > 0"),
        (json!({"api_keys": ""}), "One of the API keys is too short. Please use at least 20 characters"),
        (
            json!({"api_keys": format!("{KEY},short")}),
            "One of the API keys is too short. Please use at least 20 characters",
        ),
        (
            json!({"api_keys": format!("{KEY}_")}),
            "Invalid characters in API key. Please only use '=', '-' and alpha-numeric (including capitals)",
        ),
        (json!({"password_hashing_alg": "MD5"}), "'password_hashing_alg' must be one of 'ARGON2' or 'BCRYPT'"),
        (json!({"ip_deny_regex": "("}), "Provided regular expression is invalid for ip_deny_regex config"),
        (
            json!({"access_token_signing_algorithm": "HS256"}),
            "access_token_signing_algorithm property is not set correctly. It must be one of [auto, EdDSA, RS256]",
        ),
        (json!({"max_server_pool_size": 0}), "'max_server_pool_size' must be >= 1."),
        (json!({"max_server_pool_size": 5}), "max_server_pool_size can only be set via the core's base config setting"),
        (json!({"port": 5}), "port can only be set via the core's base config setting"),
    ] {
        let sentence = format!("Invalid core config: {sentence}");
        put_app(&app, "a1", config.clone()).await.is_text(400, &sentence);
        put_domain(&app, "one.io", config).await.is_text(400, &sentence);
    }
    put_app(&app, "a1", json!([])).await.is_text(400, "Field name 'coreConfig' is invalid in JSON input");
    assert_eq!(app.context.directory.apps().len(), 1);
    created(&put_app(&app, "a1", json!({"core_config_version": 0})).await, true);
}

#[tokio::test]
async fn a_refused_change_leaves_the_stored_settings_alone() {
    let app = TestApp::new().await;
    put_app(&app, "a1", json!({"access_token_validity": 10})).await.ok();
    assert_eq!(put_app(&app, "a1", json!({"access_token_validity": 20, "port": 1})).await.code(), 400);
    assert_eq!(shown(&app, "/appid-a1").await, json!({"access_token_validity": 10}));
}

#[tokio::test]
async fn keys_of_an_app_agree_in_all_its_tenants() {
    let app = TestApp::new().await;
    let differs =
        |key: &str| format!("Invalid core config: You cannot set different values for {key} for the same appId");
    put_tenant(&app, "", "t1", json!({"access_token_validity": 10}))
        .await
        .is_text(400, &differs("access_token_validity"));
    created(&put_tenant(&app, "", "t1", json!({"access_token_validity": 3600})).await, true);
    created(&put_tenant(&app, "", "t2", json!({"passwordless_code_lifetime": 7})).await, true);

    put_app(&app, "a1", json!({"access_token_validity": 10, "api_keys": format!("{KEY},{OTHER_KEY}")})).await.ok();
    let with_key = |body: Value| app.put("/appid-a1/recipe/multitenancy/tenant/v2", body).key(KEY);
    let own = json!({"tenantId": "t1", "coreConfig":
        {"access_token_validity": "10", "api_keys": format!("{OTHER_KEY} , {KEY}")}});
    created(&with_key(own).await, true);
    with_key(json!({"coreConfig": {"access_token_validity": null}}))
        .await
        .is_text(400, &differs("access_token_validity"));
    with_key(json!({"coreConfig": {"access_token_validity": 11}}))
        .await
        .is_text(400, &differs("access_token_validity"));
    let short = json!({"tenantId": "t1", "coreConfig": {"access_token_validity": null, "api_keys": null}});
    created(&with_key(short).await, false);
    created(&with_key(json!({"coreConfig": {"access_token_validity": 11}})).await, false);
}

#[tokio::test]
async fn settings_are_inherited_from_domain_to_app_to_tenant() {
    let app = TestApp::new().await;
    put_domain(&app, "one.io", json!({"access_token_validity": 11, "refresh_token_validity": 900})).await.ok();
    let put = |path: &str, body: Value| app.put(&format!("/recipe/multitenancy/{path}"), body).host("one.io");
    put("app/v2", json!({"appId": "a1", "coreConfig": {"refresh_token_validity": 800}})).await.ok();
    app.put("/appid-a1/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).host("one.io").await.ok();
    let effective = |app_id: &str| {
        let entry = app.context.directory.find("one.io", app_id).unwrap();
        let tenant = entry.tenants().into_iter().next_back().unwrap();
        assert_eq!(tenant.config.access_token_validity_ms, entry.config.access_token_validity_ms);
        (entry.config.access_token_validity_ms, entry.config.refresh_token_validity_ms / 60_000)
    };
    assert_eq!(effective("public"), (11_000, 900));
    assert_eq!(effective("a1"), (11_000, 800));
    put(
        "connectionuridomain/v2",
        json!({"connectionUriDomain": "one.io", "coreConfig": {"access_token_validity": 12}}),
    )
    .await
    .ok();
    assert_eq!(effective("a1"), (12_000, 800), "a change reaches who inherits");
    assert_eq!(app.context.directory.find("", "public").unwrap().config.access_token_validity_ms, 3_600_000);
}

#[tokio::test]
async fn entries_without_settings_of_their_own_share_their_parents() {
    let app = TestApp::new().await;
    put_app(&app, "a1", json!({})).await.ok();
    put_app(&app, "a2", json!({"access_token_validity": 10})).await.ok();
    put_tenant(&app, "/appid-a2", "t1", json!({})).await.ok();
    let directory = &app.context.directory;
    let base = directory.find("", "public").unwrap();
    assert!(std::sync::Arc::ptr_eq(&base.config, &directory.find("", "a1").unwrap().config));
    let a2 = directory.find("", "a2").unwrap();
    assert!(a2.tenants().iter().all(|tenant| std::sync::Arc::ptr_eq(&tenant.config, &a2.config)));
}

#[tokio::test]
async fn protected_settings_need_the_secret_above_the_keys() {
    let secret = "s".repeat(40);
    let app = TestApp::builder().setting("api_keys", KEY).setting("supertokens_saas_secret", &secret).build().await;
    let body =
        json!({"tenantId": "t1", "coreConfig": {"ip_deny_regex": "10\\..*", "password_reset_token_lifetime": 5}});
    let put = |key: &str| app.put("/recipe/multitenancy/tenant/v2", body.clone()).key(key);
    put(KEY).await.is_text(403, "Not allowed to modify protected configs.");
    // an unknown key is reported first, wherever it is
    let unknown = json!({"tenantId": "t1", "coreConfig": {"ip_deny_regex": "10\\..*", "nope": 1}});
    let reply = app.put("/recipe/multitenancy/tenant/v2", unknown).key(KEY).await;
    reply.is_text(400, "Invalid core config: Invalid config key: nope");
    created(&put(&secret).await, true);
    let shown = |key: &str| app.get("/t1/recipe/multitenancy/tenant/v2").key(key);
    assert_eq!(shown(KEY).await.json()["coreConfig"], json!({"password_reset_token_lifetime": 5}));
    assert_eq!(shown(&secret).await.json()["coreConfig"], body["coreConfig"]);
    created(&put(KEY).await, false);
    for other in [json!("11\\..*"), Value::Null] {
        let changed = json!({"tenantId": "t1", "coreConfig": {"ip_deny_regex": other}});
        let refused = app.put("/recipe/multitenancy/tenant/v2", changed).key(KEY).await;
        refused.is_text(403, "Not allowed to modify protected configs.");
    }
    assert_eq!(shown(&secret).await.json()["coreConfig"], body["coreConfig"]);
    let unprotected = json!({"tenantId": "t1", "coreConfig": {"password_reset_token_lifetime": 6}});
    created(&app.put("/recipe/multitenancy/tenant/v2", unprotected).key(KEY).await, false);
}

#[tokio::test]
async fn a_server_for_one_domain_creates_nothing_in_others_but_the_base_one() {
    let app = TestApp::builder().setting("supertokens_saas_load_only_cud", "one.io").build().await;
    let sentence = "Creation of connection uri domain or app or tenant is disallowed";
    put_domain(&app, "two.io", json!({})).await.is_text(400, sentence);
    put_domain(&app, "two.io", json!({"no_such_key": 1})).await.is_text(400, sentence);
    created(&put_app(&app, "a1", json!({})).await, true);
    created(&put_tenant(&app, "", "t1", json!({})).await, true);
    created(&put_domain(&app, "one.io", json!({})).await, true);
    created(&app.put("/recipe/multitenancy/tenant/v2", json!({})).await, false);
}
