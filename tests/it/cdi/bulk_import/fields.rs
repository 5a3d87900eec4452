//! What is wrong with a user, in the protocol's words.

use super::{HASH, by_hash, by_number, with_method, wrong};
use crate::app::TestApp;
use serde_json::{Value, json};

async fn errors(app: &TestApp, user: Value) -> Value {
    let added = wrong(&super::add(app, vec![user.clone()]).await)["users"][0]["errors"].clone();
    let imported = wrong(&app.post("/bulk-import/import", user).await)["errors"].clone();
    assert_eq!(added, imported, "both ways in say the same");
    added
}

/// Expects for each user that this message is among those reported.
async fn tells(app: &TestApp, cases: Vec<(Value, String)>) {
    for (user, sentence) in cases {
        let told = errors(app, user.clone()).await;
        let told: Vec<_> = told.as_array().unwrap().iter().map(|error| error.as_str().unwrap().to_owned()).collect();
        assert!(told.contains(&sentence), "{user}\n{sentence}\n{told:?}");
    }
}

fn long() -> String {
    "x".repeat(257)
}

fn sized(what: &str) -> String {
    format!("{what} {} is too long.", long())
}

#[tokio::test]
async fn each_field_of_a_user_has_its_sentence() {
    let app = TestApp::new().await;
    app.put("/recipe/role", json!({"role": "admin", "permissions": []})).await.ok();
    let long = long();
    let user = |name: &str, value: Value| {
        let mut user = by_number(1);
        user[name] = value;
        user
    };
    let device = |name: &str, value: Value| {
        let mut device = json!({"secretKey": "MZXW6YTB"});
        device[name] = value;
        user("totpDevices", json!([device]))
    };
    let role = |role: Value| user("userRoles", json!([role]));
    let cases = vec![
        (user("externalUserId", json!(1)), "externalUserId should be of type string.".to_owned()),
        (user("externalUserId", json!("")), "externalUserId should be of type string.".to_owned()),
        (user("externalUserId", json!(null)), "externalUserId should be of type string.".to_owned()),
        (user("externalUserId", json!(long)), format!("{} Max length is 128.", sized("externalUserId"))),
        (user("userMetadata", json!([])), "userMetadata should be of type object.".to_owned()),
        (user("userRoles", json!(["admin"])), "userRoles should be of type array of object.".to_owned()),
        (role(json!({"tenantIds": ["public"]})), "role is required for a user role.".to_owned()),
        (role(json!({"role": "admin"})), "tenantIds is required for a user role.".to_owned()),
        (role(json!({"role": "x", "tenantIds": ["public"]})), "Role x does not exist.".to_owned()),
        (role(json!({"role": "admin", "tenantIds": ["t9"]})), "Invalid tenantId: t9 for a user role.".to_owned()),
        (
            role(json!({"role": "admin", "tenantIds": [1]})),
            "tenantIds should be of type array of string for a user role.".to_owned(),
        ),
        (user("totpDevices", json!({})), "totpDevices should be of type array of object.".to_owned()),
        (user("totpDevices", json!([{}])), "secretKey is required for a totp device.".to_owned()),
        (device("secretKey", json!(long)), "TOTP secretKey is too long. Max length is 256.".to_owned()),
        (device("secretKey", json!("0")), "secretKey should be a Base32 text for a totp device.".to_owned()),
        (device("period", json!(0)), "period should be > 0 for a totp device.".to_owned()),
        (device("period", json!("30")), "period should be of type integer for a totp device.".to_owned()),
        (device("skew", json!(-1)), "skew should be >= 0 for a totp device.".to_owned()),
        (device("skew", json!(101)), "skew should be <= 100 for a totp device.".to_owned()),
        (device("deviceName", json!(long)), format!("{} Max length is 256.", sized("TOTP deviceName"))),
        (user("loginMethods", json!({})), "loginMethods should be of type array of object.".to_owned()),
    ];
    tells(&app, cases).await;
}

#[tokio::test]
async fn each_field_of_a_login_method_has_its_sentence() {
    let app = TestApp::new().await;
    let long = long();
    let method = |name: &str, value: Value| {
        let mut method = by_hash("a@x.io");
        method[name] = value;
        with_method(method)
    };
    let either =
        "Either (passwordHash, hashingAlgorithm) or plainTextPassword is required for an emailpassword recipe.";
    let cases = vec![
        (with_method(json!({})), "recipeId is required for a loginMethod.".to_owned()),
        (
            with_method(json!({"recipeId": "webauthn"})),
            "Invalid recipeId for loginMethod. Pass one of emailpassword, thirdparty or, passwordless!".to_owned(),
        ),
        (method("tenantIds", json!(["t9"])), "Invalid tenantId: t9 for emailpassword recipe.".to_owned()),
        (method("tenantIds", json!([])), "LoginMethod 'emailpassword' has no tenantId".to_owned()),
        (method("isVerified", json!("yes")), "isVerified should be of type boolean for a loginMethod.".to_owned()),
        (method("isPrimary", json!(1)), "isPrimary should be of type boolean for a loginMethod.".to_owned()),
        (method("timeJoinedInMSSinceEpoch", json!(-1)), "timeJoined cannot be < 0 for a loginMethod.".to_owned()),
        (
            method("timeJoinedInMSSinceEpoch", json!(u64::MAX / 2)),
            "timeJoined cannot be in future for a loginMethod.".to_owned(),
        ),
        (method("email", json!(long)), format!("{} Max length is 256.", sized("email"))),
        (method("email", json!(7)), "email should be of type string for an emailpassword recipe.".to_owned()),
        (method("passwordHash", json!("$2b$x")), "Password hash is in invalid BCrypt format".to_owned()),
        (method("hashingAlgorithm", json!("argon2")), "Password hash is in invalid Argon2 format".to_owned()),
        (
            method("hashingAlgorithm", json!("md5")),
            "Invalid hashingAlgorithm for emailpassword recipe. Pass one of bcrypt, argon2 or, firebase_scrypt!"
                .to_owned(),
        ),
        (with_method(json!({"recipeId": "emailpassword", "email": "a@x.io"})), either.to_owned()),
        (with_method(json!({"recipeId": "emailpassword", "email": "a@x.io", "passwordHash": HASH})), either.to_owned()),
        (
            with_method(json!({"recipeId": "thirdparty", "email": "a@x.io", "thirdPartyUserId": "1"})),
            "thirdPartyId is required for a thirdparty recipe.".to_owned(),
        ),
        (
            with_method(json!({"recipeId": "passwordless"})),
            "Either email or phoneNumber is required for a passwordless recipe.".to_owned(),
        ),
    ];
    tells(&app, cases).await;
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let app = TestApp::new().await;
    let mut user =
        json!({"externalUserId": 1, "userMetadata": 2, "userRoles": [{"role": "x", "tenantIds": ["public"]}]});
    user["loginMethods"] = json!([
        {"recipeId": "passwordless", "phoneNumber": "+4930123456", "isPrimary": true},
        {"recipeId": "thirdparty", "isPrimary": true},
    ]);
    let told = json!([
        "externalUserId should be of type string.",
        "userMetadata should be of type object.",
        "Role x does not exist.",
        "No two loginMethods can have isPrimary as true.",
        "email is required for a thirdparty recipe.",
        "thirdPartyId is required for a thirdparty recipe.",
        "thirdPartyUserId is required for a thirdparty recipe.",
    ]);
    assert_eq!(errors(&app, user).await, told);
}

#[tokio::test]
async fn users_of_one_request_have_external_ids_of_their_own() {
    let app = TestApp::new().await;
    let mut users = vec![by_number(1), by_number(2)];
    for user in &mut users {
        user["externalUserId"] = "crm-1".into();
    }
    let told = wrong(&super::add(&app, users).await)["users"].clone();
    let sentence = "externalUserId crm-1 is not unique. It is already used by another user.";
    assert_eq!(told, json!([{"index": 1, "errors": [sentence]}]));
}

#[tokio::test]
async fn a_role_is_held_where_the_user_may_sign_in() {
    let app = TestApp::new().await;
    app.put("/recipe/role", json!({"role": "admin", "permissions": []})).await.ok();
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    let mut user = by_number(1);
    user["userRoles"] = json!([{"role": "admin", "tenantIds": ["t1", "public"]}]);
    let told = json!(["TenantId t1 for a user role does not exist in loginMethods."]);
    assert_eq!(errors(&app, user).await, told);
}
