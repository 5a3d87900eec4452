//! `POST /recipe/signup`.

use super::EVERY_VERSION;
use crate::app::START;
use crate::people::{by_password, by_provider, method, with_cheap_passwords};
use crate::refused::post;
use serde_json::{Value, json};
use sessiond::domain::user::Login;

/// Of "abc".
const HASH: &str = "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i";

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
    let first = app.post("/recipe/signup", body(" Jane@X.io ")).await.ok().json();
    assert_eq!(first["user"]["emails"], json!(["jane@x.io"]));
    assert_eq!(first["user"]["loginMethods"][0]["email"], "jane@x.io");
    let before = app.stored().await;
    for email in ["jane@x.io", "JANE@x.io", "\tjane@x.io\n"] {
        let reply = app.post("/recipe/signup", body(email)).await;
        assert_eq!(reply.json(), json!({"status": "EMAIL_ALREADY_EXISTS_ERROR"}));
    }
    assert!(app.stored().await == before, "refused requests left something behind");
    assert_eq!(app.sign_in("jane@x.io", "a password").await, "OK");
    let other = app.post("/t1/recipe/signup", body("jane@x.io")).await.ok().json();
    assert_eq!(other["user"]["tenantIds"], json!(["t1"]));
    assert_eq!(other["user"]["emails"], json!(["jane@x.io"]));
}

#[tokio::test]
async fn addresses_have_no_syntax_and_passwords_are_taken_as_they_are() {
    let app = with_cheap_passwords().build().await;
    let long = "p".repeat(100_000);
    for (email, password, another) in [
        ("", "x", "X"),
        ("no address", " ", "  "),
        ("@", " x ", "x"),
        ("a b@c@d", "p\u{0}q", "p"),
        ("ü@exämple.org", "ü", "u"),
        ("a;b,c@x.io", long.as_str(), &long[1..]),
    ] {
        let body = json!({"email": email, "password": password});
        let reply = app.post("/recipe/signup", body).await.ok().json();
        assert_eq!(reply["user"]["emails"], json!([email]));
        assert_eq!(app.sign_in(email, password).await, "OK", "{email}");
        assert_eq!(app.sign_in(email, another).await, "WRONG_CREDENTIALS_ERROR", "{email}");
    }
}

#[tokio::test]
async fn other_recipes_and_primary_users_with_the_address_do_not_stand_against_it() {
    let app = with_cheap_passwords().build().await;
    let code = Login::Passwordless { email: Some("a@x.io".to_owned()), phone_number: None };
    app.people([by_provider("p", 1, "a@x.io"), method("c", 2, code)]).await;
    app.group(&["p"]).await;
    let reply = app.post("/recipe/signup", body("a@x.io")).await.ok().json();
    assert_eq!(reply["user"]["isPrimaryUser"], false);
    assert_eq!(reply["user"]["loginMethods"].as_array().unwrap().len(), 1, "nobody was linked");
    assert_eq!(app.who_is("p").await["methods"], json!(["p"]));
}

#[tokio::test]
async fn an_id_that_somebody_has_is_drawn_again() {
    let seeded = async || with_cheap_passwords().seed(7).build().await;
    let first = seeded().await.sign_up("a@x.io", "a password").await;
    let app = seeded().await;
    app.people([by_password(&first, 1, "other@x.io")]).await;
    let second = app.sign_up("a@x.io", "a password").await;
    assert_ne!(first, second);
    assert_eq!(app.get("/users/count").await.json()["count"], 2);
}

#[tokio::test]
async fn made_up_addresses_are_verified_at_once() {
    let app = with_cheap_passwords().build().await;
    for (email, verified) in [
        ("g-1@stfakeemail.supertokens.com", true),
        ("G-2@STfakeemail.SuperTokens.com ", true),
        ("g-1@sub.stfakeemail.supertokens.com", false),
        ("g-1@stfakeemail.supertokens.com.x.io", false),
        ("g-1@google.fakeemail.com", true),
        ("g-1@fakeemail.com", false),
        ("a@x.io", false),
    ] {
        let reply = app.post("/recipe/signup", body(email)).await.ok().json();
        assert_eq!(reply["user"]["loginMethods"][0]["verified"], verified, "{email}");
        let (id, email) = (&reply["recipeUserId"], email.trim().to_lowercase());
        let path = format!("/recipe/user/email/verify?userId={}&email={email}", id.as_str().unwrap());
        assert_eq!(app.get(&path).await.json()["isVerified"], verified, "{email}");
    }
}

#[tokio::test]
async fn bad_input_gets_its_sentence_and_makes_nobody() {
    let app = with_cheap_passwords().build().await;
    for version in ["2.7", "3.1", "5.6"] {
        let good = post("/recipe/signup", version, body("a@x.io"));
        app.wants_texts(&good, &["email", "password"]).await;
        let too_long = "Field name 'email' cannot be longer than 512 bytes";
        app.refuses_each(
            &good,
            &[
                (json!({"email": null, "password": null}), "Field name 'email' is invalid in JSON input"),
                (json!({"password": ""}), "Password cannot be an empty string"),
                (json!({"email": "a".repeat(513)}), too_long),
                (json!({"email": "ä".repeat(257)}), too_long),
                (json!({"email": format!("{}a", "\u{130}".repeat(200))}), too_long),
            ],
        )
        .await;
    }
    assert_eq!(app.get("/users/count").await.json()["count"], 0);
    app.sign_up(&format!(" {} ", "a".repeat(512)), "p").await;
}

#[tokio::test]
async fn what_is_refused_anyway_costs_no_hash() {
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("a@x.io", "p").await;
    app.people([by_provider("p", 1, "p@x.io")]).await;
    let hashed = || app.context.hashing.stats()[0].done;
    let before = hashed();
    let reset = json!({"method": "token", "token": "none", "newPassword": "p"});
    for (reply, status) in [
        (app.post("/recipe/signup", body("a@x.io")).await, "EMAIL_ALREADY_EXISTS_ERROR"),
        (app.post("/recipe/user/password/reset", reset).await, "RESET_PASSWORD_INVALID_TOKEN_ERROR"),
        (app.put("/recipe/user", json!({"recipeUserId": "p", "password": "p"})).await, "UNKNOWN_USER_ID_ERROR"),
    ] {
        assert_eq!(reply.json(), json!({"status": status}));
    }
    app.put("/recipe/user", json!({"recipeUserId": id, "password": ""}))
        .await
        .is_text(400, "Password cannot be an empty string");
    assert_eq!(hashed(), before);
    app.put("/recipe/user", json!({"recipeUserId": id, "password": "new"})).await.ok();
    assert_eq!(hashed(), before + 1);
}

#[tokio::test]
async fn every_route_of_a_tenant_wants_one_that_is_there() {
    let app = with_cheap_passwords().build().await;
    let reset = json!({"method": "token", "token": "t", "newPassword": "p"});
    for good in [
        post("/recipe/signup", "", body("a@x.io")),
        post("/recipe/signin", "", body("a@x.io")),
        post("/recipe/user/password/reset/token", "", json!({"userId": "u", "email": "e"})),
        post("/recipe/user/password/reset/token/consume", "", json!({"token": "t"})),
        post("/recipe/user/password/reset", "", reset),
        post("/recipe/user/passwordhash/import", "", json!({"email": "a@x.io", "passwordHash": HASH})),
    ] {
        app.is_of_a_tenant(&good).await;
    }
    for version in ["3.0", "4.0", "5.0", "5.6"] {
        let reply = app.get("/nobody/recipe/user?email=a@x.io").cdi(version).await;
        assert!(reply.code() == 400 && reply.body().ends_with("(, public, nobody)\n"), "{}", reply.body());
    }
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
        let reset = json!({"method": "token", "token": "t", "newPassword": "p"});
        let reset = app.post("/t1/recipe/user/password/reset", reset).cdi(version).await;
        assert_eq!(reset.text_at("/status"), "RESET_PASSWORD_INVALID_TOKEN_ERROR");
        let find = app.get("/t1/recipe/user?email=a@x.io").cdi(version).await;
        assert_eq!(find.text_at("/status"), "UNKNOWN_EMAIL_ERROR");
    }
    for version in ["5.1", "5.6"] {
        let email = format!("{version}@x.io");
        let id = app.post("/t1/recipe/signup", body(&email)).cdi(version).await.ok().text_at("/user/id");
        app.post("/t1/recipe/signin", body(&email)).cdi(version).await.ok();
        let reset = json!({"userId": id, "email": email});
        app.post("/t1/recipe/user/password/reset/token", reset).cdi(version).await.ok();
        let import = json!({"email": email, "passwordHash": HASH});
        app.post("/t1/recipe/user/passwordhash/import", import).cdi(version).await.ok();
    }
}

#[tokio::test]
async fn who_signs_up_is_active() {
    let app = with_cheap_passwords().build().await;
    let count = async || app.get("/users/count/active?since=0").await.json()["count"].clone();
    assert_eq!(count().await, 0);
    app.sign_up("a@x.io", "a password").await;
    assert_eq!(count().await, 1);
}
