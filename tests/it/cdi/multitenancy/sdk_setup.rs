//! What the official SDKs' own test suites do to a running core: one app per test, no API key, no `cdi-version`.

use super::created;
use crate::app::TestApp;
use serde_json::{Value, json};

const APP_ID: &str = "4b0ae3ee-7a5c-4f2b-9a5e-0d8f4b6d1c11";

#[tokio::test]
async fn one_app_per_test_is_made_used_and_cleaned_up() {
    let app = TestApp::builder().test_mode().build().await;
    assert_eq!(app.get("/hello").await.body(), "Hello\n");
    let config = json!({"access_token_validity": 2, "refresh_token_validity": 0.05,
        "access_token_dynamic_signing_key_update_interval": "0.001", "passwordless_code_lifetime": 1000,
        "api_keys": null});
    let body = json!({"appId": APP_ID, "coreConfig": config});
    created(&app.put("/recipe/multitenancy/app/v2", body).await, true);
    let versions = app.get(&format!("/appid-{APP_ID}/apiversion")).await.json();
    assert!(versions["versions"].as_array().unwrap().contains(&json!("5.4")));
    let entry = app.context.directory.find("", APP_ID).unwrap();
    assert_eq!(entry.config.access_token_validity_ms, 2000);
    assert_eq!(entry.config.refresh_token_validity_ms, 3000);
    assert_eq!(entry.config.dynamic_signing_key_update_interval_ms, 3600);
    assert_eq!(entry.config.signing_key_overlap_ms, 720);

    for tenant in ["t1", "t2"] {
        let body = json!({"tenantId": tenant, "firstFactors": ["emailpassword"]});
        created(&app.put(&format!("/appid-{APP_ID}/recipe/multitenancy/tenant/v2"), body).await, true);
    }
    let list = app.get(&format!("/appid-{APP_ID}/recipe/multitenancy/tenant/list/v2")).await.ok().json();
    let ids: Vec<&str> = list["tenants"].as_array().unwrap().iter().filter_map(|t| t["tenantId"].as_str()).collect();
    assert_eq!(ids, ["public", "t1", "t2"]);
    for id in ids.into_iter().filter(|id| *id != "public") {
        let path = format!("/appid-{APP_ID}/recipe/multitenancy/tenant/remove");
        assert_eq!(app.post(&path, json!({"tenantId": id})).await.ok().json()["didExist"], json!(true));
    }
    let removed = app.post("/recipe/multitenancy/app/remove", json!({"appId": APP_ID})).await.ok().json();
    assert_eq!(removed["didExist"], json!(true));
    let apps = app.get("/recipe/multitenancy/app/list/v2").await.ok().json();
    assert_eq!(apps["apps"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn every_setting_that_the_suites_send_is_taken_in_test_mode() {
    let app = TestApp::builder().test_mode().build().await;
    let key = "shfo3h98308hOIHoei309saiho";
    let values: Vec<Value> = vec![
        json!({"access_token_validity": 1}),
        json!({"access_token_validity": 5}),
        json!({"access_token_dynamic_signing_key_update_interval": "0.001"}),
        json!({"access_token_dynamic_signing_key_update_interval": "0.0014"}),
        json!({"access_token_dynamic_signing_key_update_interval": "0.0004"}),
        json!({"access_token_dynamic_signing_key_update_interval": 0.0004}),
        json!({"access_token_signing_key_update_interval": "0.001"}),
        json!({"passwordless_code_lifetime": 1000}),
        json!({"api_keys": key}),
    ];
    for (index, config) in values.into_iter().enumerate() {
        let body = json!({"appId": format!("app{index}"), "coreConfig": config});
        created(&app.put("/recipe/multitenancy/app/v2", body).await, true);
        let mut shown = app.get(&format!("/appid-app{index}/recipe/multitenancy/tenant/v2")).key(key).await.ok().json();
        assert_eq!(shown["coreConfig"].take(), config, "settings are shown as given");
    }
}

#[tokio::test]
async fn outside_test_mode_tiny_intervals_are_refused() {
    let app = TestApp::new().await;
    let config = json!({"access_token_dynamic_signing_key_update_interval": "0.001"});
    app.put("/recipe/multitenancy/app/v2", json!({"appId": APP_ID, "coreConfig": config})).await.is_text(
        400,
        "Invalid core config: 'access_token_dynamic_signing_key_update_interval' must be greater than, equal to 1 hour.",
    );
}
