//! `/recipe/dashboard/tenant/core-config`.

use crate::app::{TestApp, TestReply};
use serde_json::{Value, json};

const PATH: &str = "/recipe/dashboard/tenant/core-config";

fn find(reply: &TestReply, key: &str) -> Option<Value> {
    reply.json()["config"].as_array().unwrap().iter().find(|setting| setting["key"] == key).cloned()
}

#[tokio::test]
async fn settings_are_shown_as_they_hold_for_the_tenant() {
    let app = TestApp::builder().setting("totp_max_attempts", "7").build().await;
    let own = json!({"appId": "shop", "coreConfig": {"password_reset_token_lifetime": 1000}});
    app.put("/recipe/multitenancy/app/v2", own).await.ok();
    let own = json!({"tenantId": "t1", "coreConfig": {"passwordless_code_lifetime": 2000}});
    app.put("/appid-shop/recipe/multitenancy/tenant/v2", own).await.ok();

    let value = |reply: &TestReply, key: &str| find(reply, key).unwrap()["value"].clone();
    let of_tenant = app.get(&format!("/appid-shop/t1{PATH}")).await.ok();
    assert_eq!(value(&of_tenant, "passwordless_code_lifetime"), json!(2000));
    assert_eq!(value(&of_tenant, "password_reset_token_lifetime"), json!(1000));
    assert_eq!(value(&of_tenant, "totp_max_attempts"), json!(7));
    let of_app = app.get(&format!("/appid-shop{PATH}")).await.ok();
    assert_eq!(value(&of_app, "passwordless_code_lifetime"), json!(900_000));
    assert_eq!(value(&of_app, "password_reset_token_lifetime"), json!(1000));
    let of_base = app.get(PATH).await.ok();
    assert_eq!(value(&of_base, "password_reset_token_lifetime"), json!(3_600_000));
}

#[tokio::test]
async fn a_setting_tells_what_it_may_be() {
    let app = TestApp::new().await;
    let list = app.get(PATH).await.ok();
    let mut lifetime = find(&list, "password_reset_token_lifetime").unwrap();
    assert!(!lifetime["description"].as_str().unwrap().is_empty());
    lifetime.as_object_mut().unwrap().remove("description");
    let expected = json!({
        "key": "password_reset_token_lifetime", "valueType": "number", "value": 3_600_000, "defaultValue": 3_600_000,
        "isDifferentAcrossTenants": true, "possibleValues": null, "isNullable": false,
        "isPluginProperty": false, "isPluginPropertyEditable": false,
    });
    assert_eq!(lifetime, expected);
    let algorithm = find(&list, "password_hashing_alg").unwrap();
    assert_eq!((&algorithm["valueType"], &algorithm["isDifferentAcrossTenants"]), (&json!("enum"), &json!(false)));
    assert_eq!(algorithm["possibleValues"].as_array().unwrap().len(), 2);
    let signer_key = find(&list, "firebase_password_hashing_signer_key").unwrap();
    assert_eq!((&signer_key["valueType"], &signer_key["isNullable"]), (&json!("string"), &json!(true)));
    assert_eq!(find(&list, "disable_telemetry").unwrap()["valueType"], "boolean");
}

#[tokio::test]
async fn settings_of_the_server_and_secrets_are_not_shown() {
    let key = ("firebase_password_hashing_signer_key", "c2VjcmV0LXNpZ25lci1rZXk=");
    let app = TestApp::builder().setting(key.0, key.1).build().await;
    let list = app.get(PATH).await.ok();
    for hidden in ["port", "api_keys", "bcrypt_log_rounds", "access_token_blacklisting", "supertokens_max_cdi_version"]
    {
        assert_eq!(find(&list, hidden), None, "{hidden}");
    }
    assert_eq!(find(&list, key.0).unwrap()["value"], "********");
    assert!(!list.body().contains(key.1));
}

#[tokio::test]
async fn protected_settings_are_shown_to_the_holder_of_the_secret_only() {
    let app = TestApp::new().await;
    assert!(find(&app.get(PATH).await.ok(), "ip_allow_regex").is_some());
    let app = TestApp::builder()
        .setting("api_keys", "a-key-of-twenty-characters")
        .setting("supertokens_saas_secret", "a-secret-of-more-than-forty-characters-12345")
        .build()
        .await;
    let list = app.get(PATH).key("a-key-of-twenty-characters").await.ok();
    assert_eq!(find(&list, "ip_allow_regex"), None);
    let list = app.get(PATH).key("a-secret-of-more-than-forty-characters-12345").await.ok();
    assert!(find(&list, "ip_allow_regex").is_some());
}

#[tokio::test]
async fn an_unknown_tenant_is_the_usual_400() {
    let app = TestApp::new().await;
    assert_eq!(app.get(&format!("/none{PATH}")).await.code(), 400);
}
