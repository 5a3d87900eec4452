//! `POST /recipe/signup`.

use super::EVERY_VERSION;
use crate::app::START;
use crate::people::{by_provider, with_cheap_passwords};
use serde_json::{Value, json};

fn body(email: &str) -> Value {
    json!({"email": email, "password": "a password"})
}

#[tokio::test]
async fn a_new_user_is_shown_as_each_version_has_it() {
    let app = with_cheap_passwords().build().await;
    for (number, version) in EVERY_VERSION.into_iter().enumerate() {
        let email = format!("{number}@x.io");
        let reply = app.post("/recipe/signup", body(&email)).cdi(version).await.ok().json();
        let id = reply["user"]["id"].as_str().unwrap();
        assert_eq!(uuid::Uuid::parse_str(id).unwrap().get_version_num(), 7);
        let at_least = |first: &str| EVERY_VERSION.iter().position(|one| *one == first).unwrap() <= number;
        let expected = if at_least("4.0") {
            let mut user = json!({
                "id": id, "isPrimaryUser": false, "tenantIds": ["public"], "timeJoined": START.0, "emails": [email],
                "phoneNumbers": [], "thirdParty": [],
                "loginMethods": [{
                    "tenantIds": ["public"], "recipeUserId": id, "verified": false, "timeJoined": START.0,
                    "recipeId": "emailpassword", "email": email,
                }],
            });
            if at_least("5.3") {
                user["webauthn"] = json!({"credentialIds": []});
            }
            json!({"status": "OK", "user": user, "recipeUserId": id})
        } else {
            let mut user = json!({"id": id, "timeJoined": START.0, "email": email});
            if at_least("3.0") {
                user["tenantIds"] = json!(["public"]);
            }
            json!({"status": "OK", "user": user})
        };
        assert_eq!(reply, expected, "{version}");
    }
}

#[tokio::test]
async fn an_address_is_taken_once_per_tenant_whatever_its_case() {
    let app = with_cheap_passwords().build().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app.sign_up(" Jane@X.io ", "a password").await;
    for email in ["jane@x.io", "JANE@x.io", "\tjane@x.io\n"] {
        let reply = app.post("/recipe/signup", body(email)).await;
        assert_eq!(reply.json(), json!({"status": "EMAIL_ALREADY_EXISTS_ERROR"}));
    }
    let other = app.post("/t1/recipe/signup", body("jane@x.io")).await.ok().json();
    assert_eq!(other["user"]["tenantIds"], json!(["t1"]));
    assert_eq!(other["user"]["emails"], json!(["jane@x.io"]));
}

#[tokio::test]
async fn other_recipes_and_primary_users_with_the_address_do_not_stand_against_it() {
    let app = with_cheap_passwords().build().await;
    app.people([by_provider("p", 1, "a@x.io")]).await;
    app.group(&["p"]).await;
    app.sign_up("a@x.io", "a password").await;
}

#[tokio::test]
async fn made_up_addresses_are_verified_at_once() {
    let app = with_cheap_passwords().build().await;
    for (email, verified) in [
        ("g-1@stfakeemail.supertokens.com", true),
        ("g-1@google.fakeemail.com", true),
        ("g-1@fakeemail.com", false),
        ("a@x.io", false),
    ] {
        let reply = app.post("/recipe/signup", body(email)).await.ok().json();
        assert_eq!(reply["user"]["loginMethods"][0]["verified"], verified, "{email}");
    }
}

#[tokio::test]
async fn bad_input_gets_its_sentence_and_makes_nobody() {
    let app = with_cheap_passwords().build().await;
    for (body, sentence) in [
        (json!([]), "Invalid Json Input"),
        (json!({"password": "p"}), "Field name 'email' is invalid in JSON input"),
        (json!({"email": 1, "password": "p"}), "Field name 'email' is invalid in JSON input"),
        (json!({"email": "a@x.io"}), "Field name 'password' is invalid in JSON input"),
        (json!({"email": "a@x.io", "password": ""}), "Password cannot be an empty string"),
        (json!({"email": "a".repeat(513), "password": "p"}), "Field name 'email' cannot be longer than 512 bytes"),
    ] {
        app.post("/recipe/signup", body).await.is_text(400, sentence);
    }
    app.post("/nobody/recipe/signup", body("a@x.io")).await.is_text(
        400,
        "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination \
         not found: (, public, nobody)",
    );
    assert_eq!(app.get("/users/count").await.json()["count"], 0);
}

#[tokio::test]
async fn a_tenant_without_the_recipe_refuses_it_below_5_1() {
    let app = with_cheap_passwords().build().await;
    let tenant = json!({"tenantId": "t1", "emailPasswordEnabled": false, "thirdPartyEnabled": true});
    app.put("/recipe/multitenancy/tenant", tenant).cdi("3.1").await.ok();
    for version in ["3.1", "4.0", "5.0"] {
        for path in ["/recipe/signup", "/recipe/signin", "/recipe/user/passwordhash/import"] {
            let body = json!({"email": "a@x.io", "password": "p", "passwordHash": "$2a$"});
            let reply = app.post(&format!("/t1{path}"), body).cdi(version).await;
            reply.is_text(403, "Email password login not enabled for tenant");
        }
        let reply = app.post("/t1/recipe/user/password/reset/token", json!({"userId": "u", "email": "e"}));
        reply.cdi(version).await.is_text(403, "Email password login not enabled for tenant");
        let consume = app.post("/t1/recipe/user/password/reset/token/consume", json!({"token": "t"})).cdi(version);
        assert_eq!(consume.await.text_at("/status"), "RESET_PASSWORD_INVALID_TOKEN_ERROR");
    }
    app.post("/t1/recipe/signup", body("a@x.io")).cdi("5.1").await.ok();
}

#[tokio::test]
async fn who_signs_up_is_active() {
    let app = with_cheap_passwords().build().await;
    let count = async || app.get("/users/count/active?since=0").await.json()["count"].clone();
    assert_eq!(count().await, 0);
    app.sign_up("a@x.io", "a password").await;
    assert_eq!(count().await, 1);
}
