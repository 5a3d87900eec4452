//! `/recipe/user/password/reset…`.

use crate::app::TestApp;
use crate::people::{by_password, by_provider, mapped, method, with_cheap_passwords};
use serde_json::{Value, json};
use sessiond::domain::user::Login;

const CREATE: &str = "/recipe/user/password/reset/token";
const CONSUME: &str = "/recipe/user/password/reset/token/consume";
const RESET: &str = "/recipe/user/password/reset";
const HOUR_MS: u64 = 3_600_000;

async fn one_user() -> (TestApp, String) {
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("jane@x.io", "old").await;
    (app, id)
}

async fn create(app: &TestApp, id: &str, email: &str) -> String {
    app.post(CREATE, json!({"userId": id, "email": email})).await.ok().text_at("/token")
}

async fn consume(app: &TestApp, token: &str) -> Value {
    app.post(CONSUME, json!({"token": token})).await.json()
}

fn invalid() -> Value {
    json!({"status": "RESET_PASSWORD_INVALID_TOKEN_ERROR"})
}

#[tokio::test]
async fn a_token_is_good_once_and_takes_the_others_with_it() {
    let (app, id) = one_user().await;
    let tokens = [create(&app, &id, "Jane@x.io").await, create(&app, &id, "other@y.io").await];
    assert_ne!(tokens[0], tokens[1]);
    assert!(tokens[0].len() == 128 && tokens[0].bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let expected = json!({"status": "OK", "userId": id, "email": "Jane@x.io"});
    assert_eq!(consume(&app, &tokens[0]).await, expected, "the address as it was given");
    for token in &tokens {
        assert_eq!(consume(&app, token).await, invalid());
    }
    assert_eq!(app.sign_in("jane@x.io", "old").await, "OK", "the password is as it was");
    let later = create(&app, &id, "jane@x.io").await;
    assert_eq!(consume(&app, &later).await["status"], "OK");
}

#[tokio::test]
async fn a_token_ends_after_its_time_and_uses_up_the_others_all_the_same() {
    let (app, id) = one_user().await;
    let first = create(&app, &id, "jane@x.io").await;
    app.clock.advance(HOUR_MS);
    let second = create(&app, &id, "jane@x.io").await;
    assert_eq!(consume(&app, &first).await["status"], "OK", "its last moment is its own");
    assert_eq!(consume(&app, &second).await, invalid());
    let third = create(&app, &id, "jane@x.io").await;
    app.clock.advance(1);
    let fourth = create(&app, &id, "jane@x.io").await;
    app.clock.advance(HOUR_MS);
    assert_eq!(consume(&app, &third).await, invalid());
    assert_eq!(consume(&app, &fourth).await, invalid(), "a match deletes all, also when it is too late");
}

#[tokio::test]
async fn the_lifetime_is_the_tenants_and_the_token_the_apps() {
    let (app, id) = one_user().await;
    let tenant = json!({"tenantId": "t1", "coreConfig": {"password_reset_token_lifetime": 1000}});
    app.put("/recipe/multitenancy/tenant/v2", tenant).await.ok();
    let create = async || {
        let reply = app.post(&format!("/t1{CREATE}"), json!({"userId": id, "email": "e"})).await;
        reply.ok().text_at("/token")
    };
    let token = create().await;
    assert_eq!(consume(&app, &token).await["status"], "OK", "made in one tenant, used through another");
    let token = create().await;
    app.clock.advance(1001);
    assert_eq!(consume(&app, &token).await, invalid());
}

#[tokio::test]
async fn any_person_gets_a_token_under_any_of_its_ids() {
    let (app, id) = one_user().await;
    app.people([mapped("mine", by_provider("p", 1, "p@x.io"))]).await;
    app.group(&["p", &id]).await;
    for (given, shown) in [("p", "mine"), ("mine", "mine"), (id.as_str(), id.as_str())] {
        let token = create(&app, given, "e").await;
        assert_eq!(consume(&app, &token).await, json!({"status": "OK", "userId": shown, "email": "e"}), "{given}");
    }
    let unknown = app.post(CREATE, json!({"userId": "nobody", "email": "e"})).await.json();
    assert_eq!(unknown, json!({"status": "UNKNOWN_USER_ID_ERROR"}));
}

#[tokio::test]
async fn before_4_0_a_person_is_one_login_with_a_password() {
    let (app, id) = one_user().await;
    app.people([by_provider("p", 1, "p@x.io"), by_provider("q", 1, "q@x.io")]).await;
    let old = |id: &str| app.post(CREATE, json!({"userId": id})).cdi("3.1");
    let token = old(&id).await.ok().text_at("/token");
    assert_eq!(consume(&app, &token).await["email"], "jane@x.io");
    assert_eq!(old("p").await.json(), json!({"status": "UNKNOWN_USER_ID_ERROR"}));
    app.group(&["q", &id]).await;
    old(&id).await.is_text(400, "Please use CDI version >= 4.0");
    let missing = app.post(CREATE, json!({"userId": id})).cdi("4.0").await;
    missing.is_text(400, "Field name 'email' is invalid in JSON input");
}

#[tokio::test]
async fn the_older_exchange_sets_the_password() {
    let (app, id) = one_user().await;
    let session = app.session(&id).await;
    let body = |token: &str| json!({"method": "token", "token": token, "newPassword": "new"});
    for (version, user_id) in [("2.11", None), ("2.12", Some(&id)), ("3.1", Some(&id))] {
        let tokens = [create(&app, &id, "jane@x.io").await, create(&app, &id, "jane@x.io").await];
        let reply = app.post(RESET, body(&tokens[1])).cdi(version).await.ok().json();
        assert_eq!(reply.get("userId"), user_id.map(|id| json!(id)).as_ref(), "{version}");
        for token in &tokens {
            assert_eq!(app.post(RESET, body(token)).cdi(version).await.json(), invalid());
        }
    }
    assert_eq!(app.sign_in("jane@x.io", "new").await, "OK");
    assert_eq!(app.sign_in("jane@x.io", "old").await, "WRONG_CREDENTIALS_ERROR");
    assert_eq!(app.sessions_of(&id).await, [session.handle()], "sessions stay");
    let late = create(&app, &id, "jane@x.io").await;
    app.clock.advance(HOUR_MS + 1);
    assert_eq!(app.post(RESET, body(&late)).await.json(), invalid());
    for (body, sentence) in [
        (json!({"method": "x", "token": "t", "newPassword": "n"}), "Unsupported method for password reset"),
        (json!({"method": "token", "token": "t", "newPassword": ""}), "Password cannot be an empty string"),
        (json!({"token": "t", "newPassword": "n"}), "Field name 'method' is invalid in JSON input"),
        (json!({"method": "token", "newPassword": "n"}), "Field name 'token' is invalid in JSON input"),
        (json!({"method": "token", "token": "t"}), "Field name 'newPassword' is invalid in JSON input"),
    ] {
        app.post(RESET, body).await.is_text(400, sentence);
    }
}

#[tokio::test]
async fn a_reset_opens_an_account_that_guessing_had_delayed() {
    let app = with_cheap_passwords().setting("brute_force_protection", "true").build().await;
    let id = app.sign_up("jane@x.io", "right").await;
    for _ in 0..6 {
        app.sign_in("jane@x.io", "wrong").await;
    }
    assert_eq!(app.post("/recipe/signin", json!({"email": "jane@x.io", "password": "right"})).await.code(), 429);
    let token = create(&app, &id, "jane@x.io").await;
    assert_eq!(consume(&app, &token).await["status"], "OK");
    assert_eq!(app.sign_in("jane@x.io", "right").await, "OK");
}

/// A token of the group for the address of the login method that leaves it.
async fn token_for_who_leaves(app: &TestApp) -> String {
    app.people([by_password("a", 1, "a@x.io"), by_password("b", 2, "b@x.io")]).await;
    app.group(&["a", "b"]).await;
    create(app, "a", "b@x.io").await
}

#[tokio::test]
async fn whoever_has_the_mailbox_of_a_login_that_left_gets_no_further() {
    for (path, body) in [
        ("/recipe/accountlinking/user/unlink", json!({"recipeUserId": "b"})),
        ("/user/remove", json!({"userId": "b", "removeAllLinkedAccounts": false})),
    ] {
        let app = TestApp::new().await;
        let token = token_for_who_leaves(&app).await;
        app.post(path, body).await.ok();
        assert_eq!(consume(&app, &token).await, invalid(), "{path}");
        let token = create(&app, "a", "a@x.io").await;
        assert_eq!(consume(&app, &token).await["status"], "OK", "a new one is good");
    }
    let app = TestApp::new().await;
    let token = token_for_who_leaves(&app).await;
    let own = create(&app, "b", "a@x.io").await;
    app.post("/recipe/accountlinking/user/unlink", json!({"recipeUserId": "b"})).await.ok();
    for token in [token, own] {
        assert_eq!(consume(&app, &token).await, invalid(), "the other way round, too");
    }
}

#[tokio::test]
async fn whoever_has_the_mailbox_of_an_old_address_gets_no_further() {
    let app = TestApp::new().await;
    let login = Login::Passwordless { email: Some("c@x.io".to_owned()), phone_number: None };
    app.people([by_password("a", 1, "a@x.io"), by_provider("b", 2, "b@x.io"), method("c", 3, login)]).await;
    app.group(&["a", "b", "c"]).await;
    let google = |email: &str| json!({"thirdPartyId": "google", "thirdPartyUserId": "g-b", "email": {"id": email, "isVerified": false}});
    let token = create(&app, "a", "b@x.io").await;
    app.post("/recipe/signinup", google("b@x.io")).await.ok();
    assert_eq!(consume(&app, &token).await["status"], "OK", "nothing has changed");
    let token = create(&app, "a", "b@x.io").await;
    app.post("/recipe/signinup", google("new-b@x.io")).await.ok();
    assert_eq!(consume(&app, &token).await, invalid());
    for change in [json!({"email": "new-c@x.io"}), json!({"email": null, "phoneNumber": "+493012345"})] {
        let token = create(&app, "a", "c@x.io").await;
        let mut body = json!({"recipeUserId": "c"});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        app.put("/recipe/user", body).header("rid", "passwordless").await.ok();
        assert_eq!(consume(&app, &token).await, invalid(), "{change}");
    }
    let token = create(&app, "a", "c@x.io").await;
    let number = json!({"recipeUserId": "c", "phoneNumber": "+493012346"});
    app.put("/recipe/user", number).header("rid", "passwordless").await.ok();
    assert_eq!(consume(&app, &token).await["status"], "OK", "a number is no mailbox");
}
