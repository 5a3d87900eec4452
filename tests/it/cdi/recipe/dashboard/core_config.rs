//! `/recipe/dashboard/tenant/core-config`.

use crate::app::{TestApp, TestReply};
use serde_json::{Value, json};
use std::collections::BTreeSet;

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

/// The protocol's list: type, and whether it may differ between the tenants of an app.
const LISTED: &[(&str, &str, bool)] = &[
    ("access_token_validity", "number", false),
    ("access_token_validity_jitter", "number", false),
    ("refresh_token_validity", "number", false),
    ("refresh_token_rotation_grace_period", "number", false),
    ("access_token_dynamic_signing_key_update_interval", "number", false),
    ("password_reset_token_lifetime", "number", true),
    ("email_verification_token_lifetime", "number", true),
    ("passwordless_max_code_input_attempts", "number", true),
    ("passwordless_code_lifetime", "number", true),
    ("totp_max_attempts", "number", true),
    ("totp_rate_limit_cooldown_sec", "number", true),
    ("webauthn_recover_account_token_lifetime", "number", false),
    ("password_hashing_alg", "enum", false),
    ("firebase_password_hashing_signer_key", "string", false),
    ("disable_telemetry", "boolean", false),
    ("ip_allow_regex", "string", true),
    ("ip_deny_regex", "string", true),
    ("saml_sp_entity_id", "string", true),
    ("saml_claims_validity", "number", true),
    ("saml_relay_state_validity", "number", true),
    ("bulk_migration_parallelism", "number", false),
    ("bulk_migration_batch_size", "number", false),
    ("bulk_migration_sleep_between_rounds_in_batch_ms", "number", false),
    // Ours.
    ("access_token_signing_algorithm", "enum", false),
    ("refresh_token_format", "enum", false),
    ("session_timeline_retention_days", "number", false),
    ("audit_retention_days", "number", false),
    ("brute_force_protection", "boolean", false),
    ("brute_force_address_header", "string", false),
    ("app_name", "string", false),
    ("api_domain", "string", false),
    ("website_domain", "string", false),
    ("api_base_path", "string", false),
    ("api_gateway_path", "string", false),
    ("website_base_path", "string", false),
    ("recipe_list", "string", false),
    ("cookie_domain", "string", false),
    ("older_cookie_domain", "string", false),
    ("cookie_secure", "enum", false),
    ("cookie_same_site", "enum", false),
    ("access_token_path", "string", false),
    ("anti_csrf", "enum", false),
    ("token_transfer_method", "enum", false),
    ("session_expired_status_code", "number", false),
    ("invalid_claim_status_code", "number", false),
    ("use_dynamic_access_token_signing_key", "boolean", false),
    ("expose_access_token_to_frontend_in_cookie_based_auth", "boolean", false),
    ("session_client_details", "boolean", false),
    ("email_verification_mode", "enum", false),
    ("front_rate_limiting", "boolean", false),
    ("front_rate_limits", "string", false),
    ("front_tenant_hosts", "string", false),
    ("sign_up_form_fields", "string", false),
    ("first_factors", "string", false),
    ("passwordless_contact_method", "enum", false),
    ("passwordless_flow_type", "enum", false),
    ("account_linking", "enum", false),
    ("totp_issuer", "string", false),
    ("totp_default_skew", "number", false),
    ("totp_default_period", "number", false),
    ("skip_adding_roles_to_access_token", "boolean", false),
    ("skip_adding_permissions_to_access_token", "boolean", false),
    ("refuse_common_passwords", "boolean", false),
    ("sign_up", "enum", true),
    ("sign_up_allowed_domains", "string", true),
    ("sign_up_blocked_domains", "string", true),
    ("account_exists_api", "boolean", false),
    ("smtp_host", "string", false),
    ("smtp_port", "number", false),
    ("smtp_secure", "enum", false),
    ("smtp_auth_username", "string", false),
    ("smtp_password", "string", false),
    ("smtp_from_name", "string", false),
    ("smtp_from_email", "string", false),
    ("mail_language", "enum", false),
    ("sms_twilio_account_sid", "string", false),
    ("sms_twilio_auth_token", "string", false),
    ("sms_twilio_from", "string", false),
    ("sms_twilio_messaging_service_sid", "string", false),
    ("sms_twilio_base_url", "string", false),
    ("sms_webhook_url", "string", false),
    ("sms_webhook_secret", "string", false),
];

#[tokio::test]
async fn every_setting_of_apps_and_tenants_is_listed_once_and_none_of_the_server() {
    let app = TestApp::new().await;
    let list = app.get(PATH).await.ok().json()["config"].as_array().unwrap().clone();
    let shown: BTreeSet<_> = list
        .iter()
        .map(|setting| {
            let text = |name: &str| setting[name].as_str().unwrap();
            (text("key"), text("valueType"), setting["isDifferentAcrossTenants"].as_bool().unwrap())
        })
        .collect();
    assert_eq!(shown.len(), list.len());
    let expected: BTreeSet<_> = LISTED.iter().copied().collect();
    assert_eq!(shown.difference(&expected).collect::<Vec<_>>(), expected.difference(&shown).collect::<Vec<_>>());
    // Nulls are included: each setting has all its members.
    assert!(list.iter().all(|setting| setting.as_object().unwrap().len() == 10));
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
