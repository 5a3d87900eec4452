//! `/recipe/user/password/reset…`.

mod links;

use crate::app::TestApp;
use crate::people::{by_phone, by_provider, mapped, with_cheap_passwords};
use crate::refused::post;
use serde_json::{Value, json};

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
    assert_eq!(app.sign_in("jane@x.io", "old").await, "OK", "the password is unchanged");
    let later = create(&app, &id, "jane@x.io").await;
    assert_eq!(consume(&app, &later).await["status"], "OK");
}

#[tokio::test]
async fn a_token_ends_after_its_time_and_uses_up_the_others_all_the_same() {
    let (app, id) = one_user().await;
    let first = create(&app, &id, "jane@x.io").await;
    app.clock.advance(HOUR_MS);
    let second = create(&app, &id, "jane@x.io").await;
    assert_eq!(consume(&app, &first).await["status"], "OK", "it is valid until its last moment");
    assert_eq!(consume(&app, &second).await, invalid());
    let third = create(&app, &id, "jane@x.io").await;
    app.clock.advance(1);
    let fourth = create(&app, &id, "jane@x.io").await;
    app.clock.advance(HOUR_MS);
    assert_eq!(consume(&app, &third).await, invalid());
    assert_eq!(consume(&app, &fourth).await, invalid(), "a match deletes all, even when it is too late");
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
    assert_eq!(consume(&app, &token).await["status"], "OK", "created in one tenant, used through another");
    let public = self::create(&app, &id, "e").await;
    let reply = app.post(&format!("/t1{CONSUME}"), json!({"token": public})).await;
    assert_eq!(reply.json(), json!({"status": "OK", "userId": id, "email": "e"}), "and vice versa");
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
    let before = app.stored().await;
    for nobody in ["nobody", "", " p", "P"] {
        let unknown = app.post(CREATE, json!({"userId": nobody, "email": "e"})).await.json();
        assert_eq!(unknown, json!({"status": "UNKNOWN_USER_ID_ERROR"}), "{nobody}");
    }
    assert!(app.stored().await == before);
}

#[tokio::test]
async fn who_has_no_password_yet_gets_a_token_from_4_0() {
    let app = TestApp::new().await;
    app.people([by_provider("p", 1, "p@x.io"), by_phone("c", 2, "+493012345")]).await;
    let body = |id: &str| json!({"userId": id, "email": "p@x.io"});
    for id in ["p", "c"] {
        for version in ["4.0", "5.0", "5.6"] {
            let token = app.post(CREATE, body(id)).cdi(version).await.ok().text_at("/token");
            let used = app.post(CONSUME, json!({"token": token})).cdi(version).await.json();
            assert_eq!(used, json!({"status": "OK", "userId": id, "email": "p@x.io"}), "{version}");
        }
        for version in ["2.7", "2.21", "3.1"] {
            let unknown = app.post(CREATE, body(id)).cdi(version).await.json();
            assert_eq!(unknown, json!({"status": "UNKNOWN_USER_ID_ERROR"}), "{version}");
        }
    }
}

#[tokio::test]
async fn a_token_of_one_app_is_none_in_another() {
    let (app, id) = one_user().await;
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    let token = create(&app, &id, "jane@x.io").await;
    let reply = app.post(&format!("/appid-a1{CONSUME}"), json!({"token": token})).await;
    assert_eq!(reply.json(), invalid());
    let body = json!({"method": "token", "token": token, "newPassword": "new"});
    assert_eq!(app.post(&format!("/appid-a1{RESET}"), body).await.json(), invalid());
    let there = app.post(&format!("/appid-a1{CREATE}"), json!({"userId": id, "email": "e"})).await;
    assert_eq!(there.json(), json!({"status": "UNKNOWN_USER_ID_ERROR"}));
    assert_eq!(consume(&app, &token).await["status"], "OK", "and it was not used up");
}

#[tokio::test]
async fn a_token_names_its_user_as_callers_do_when_it_is_used() {
    let (app, id) = one_user().await;
    let tokens = [create(&app, &id, "jane@x.io").await, create(&app, &id, "jane@x.io").await];
    let map = json!({"superTokensUserId": id, "externalUserId": "mine"});
    app.post("/recipe/userid/map", map).await.ok();
    assert_eq!(consume(&app, &tokens[0]).await["userId"], "mine");
    assert_eq!(consume(&app, &tokens[1]).await, invalid());
    let token = create(&app, "mine", "jane@x.io").await;
    let body = json!({"method": "token", "token": token, "newPassword": "new"});
    let reply = app.post(RESET, body).cdi("3.1").await.json();
    assert_eq!(reply, json!({"status": "OK", "userId": "mine"}));
}

#[tokio::test]
async fn what_is_no_token_is_invalid_and_changes_nothing() {
    let (app, id) = one_user().await;
    let token = create(&app, &id, "jane@x.io").await;
    let before = app.stored().await;
    let cut = &token[..token.len() - 1];
    for wrong in ["", " ", cut, &format!("{token} "), &token.to_uppercase(), &"t".repeat(100_000), "\u{0}"] {
        assert_eq!(consume(&app, wrong).await, invalid());
        let body = json!({"method": "token", "token": wrong, "newPassword": "new"});
        assert_eq!(app.post(RESET, body).cdi("3.1").await.json(), invalid());
    }
    assert!(app.stored().await == before);
    assert_eq!(consume(&app, &token).await["status"], "OK");
}

#[tokio::test]
async fn bad_input_gets_its_sentence_and_uses_no_token_up() {
    let (app, id) = one_user().await;
    let token = create(&app, &id, "jane@x.io").await;
    let good = post(CREATE, "3.1", json!({"userId": id}));
    app.wants_texts(&good, &["userId"]).await;
    for version in ["4.0", "5.6"] {
        let good = post(CREATE, version, json!({"userId": id, "email": "e"}));
        app.wants_texts(&good, &["userId", "email"]).await;
        let too_long = "Field name 'email' cannot be longer than 512 bytes";
        app.refuses_each(&good, &[(json!({"email": "e".repeat(513)}), too_long)]).await;
    }
    app.wants_texts(&post(CONSUME, "5.6", json!({"token": token})), &["token"]).await;
    for version in ["2.7", "3.1", "5.6"] {
        let good = post(RESET, version, json!({"method": "token", "token": token, "newPassword": "new"}));
        app.wants_texts(&good, &["method", "token", "newPassword"]).await;
        let unsupported = "Unsupported method for password reset";
        app.refuses_each(
            &good,
            &[
                (json!({"method": "x"}), unsupported),
                (json!({"method": "Token"}), unsupported),
                (json!({"method": ""}), unsupported),
                (json!({"method": "x", "newPassword": ""}), unsupported),
                (json!({"method": "x", "newPassword": null}), "Field name 'newPassword' is invalid in JSON input"),
                (json!({"newPassword": ""}), "Password cannot be an empty string"),
            ],
        )
        .await;
    }
    assert_eq!(app.sign_in("jane@x.io", "old").await, "OK");
    assert_eq!(consume(&app, &token).await["status"], "OK");
}

#[tokio::test]
async fn before_4_0_a_person_is_one_login_with_a_password() {
    let (app, id) = one_user().await;
    app.people([by_provider("p", 1, "p@x.io"), by_provider("q", 1, "q@x.io")]).await;
    let old = |id: &str| app.post(CREATE, json!({"userId": id})).cdi("3.1");
    let token = old(&id).await.ok().text_at("/token");
    assert_eq!(consume(&app, &token).await["email"], "jane@x.io");
    for ignored in [json!("other@x.io"), json!(1), json!(null)] {
        let body = json!({"userId": id, "email": ignored});
        let token = app.post(CREATE, body).cdi("3.1").await.ok().text_at("/token");
        assert_eq!(consume(&app, &token).await["email"], "jane@x.io", "{ignored}");
    }
    assert_eq!(old("p").await.json(), json!({"status": "UNKNOWN_USER_ID_ERROR"}));
    app.group(&["q", &id]).await;
    let before = app.stored().await;
    for version in ["2.7", "2.21", "3.1"] {
        for linked in [id.as_str(), "q"] {
            let reply = app.post(CREATE, json!({"userId": linked})).cdi(version).await;
            reply.is_text(400, "Please use CDI version >= 4.0");
        }
    }
    assert!(app.stored().await == before);
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
    assert_eq!(app.sessions_of(&id).await, [session.handle()], "sessions remain");
    let late = create(&app, &id, "jane@x.io").await;
    app.clock.advance(1);
    let young = create(&app, &id, "jane@x.io").await;
    app.clock.advance(HOUR_MS);
    let too_late = json!({"method": "token", "token": late, "newPassword": "newer"});
    assert_eq!(app.post(RESET, too_late).await.json(), invalid());
    assert_eq!(consume(&app, &young).await, invalid(), "a match deletes all, even when it is too late");
    assert_eq!(app.sign_in("jane@x.io", "new").await, "OK");
}

#[tokio::test]
async fn of_a_group_the_login_with_the_tokens_address_gets_the_password() {
    let (app, jane) = one_user().await;
    let joe = app.sign_up("joe@x.io", "old").await;
    app.people([by_provider("p", 1, "p@x.io")]).await;
    app.group(&["p", &jane, &joe]).await;
    let reset = async |email: &str, password: &str| {
        let token = create(&app, "p", email).await;
        let body = json!({"method": "token", "token": token, "newPassword": password});
        let reply = app.post(RESET, body.clone()).cdi("3.1").await.json();
        assert_eq!(app.post(RESET, body).cdi("3.1").await.json(), invalid(), "it is used up, whatever the outcome");
        reply
    };
    assert_eq!(reset("joe@x.io", "new").await, json!({"status": "OK", "userId": joe}));
    assert_eq!([app.sign_in("joe@x.io", "new").await, app.sign_in("jane@x.io", "old").await], ["OK", "OK"]);
    for email in ["p@x.io", "nobody@x.io"] {
        assert_eq!(reset(email, "newer").await, invalid(), "nobody signs in with that address and a password");
    }
    assert_eq!([app.sign_in("joe@x.io", "new").await, app.sign_in("jane@x.io", "old").await], ["OK", "OK"]);
    // Made for a login: sets its own password, unless the mail went to another login's address.
    for (email, id) in [("joe@x.io", &joe), ("elsewhere@y.io", &jane), ("p@x.io", &jane)] {
        let token = create(&app, &jane, email).await;
        let body = json!({"method": "token", "token": token, "newPassword": email});
        let reply = app.post(RESET, body).cdi("3.1").await.json();
        assert_eq!(reply, json!({"status": "OK", "userId": id}), "{email}");
        let address = if id == &joe { "joe@x.io" } else { "jane@x.io" };
        assert_eq!(app.sign_in(address, email).await, "OK", "{email}");
    }
    assert_eq!(app.sign_in("joe@x.io", "joe@x.io").await, "OK", "the other user's was left alone afterwards");
}

#[tokio::test]
async fn a_reset_opens_an_account_that_guessing_had_delayed() {
    let app = with_cheap_passwords().setting("brute_force_protection", "true").build().await;
    let id = app.sign_up("jane@x.io", "right").await;
    let delayed = async || {
        for _ in 0..6 {
            app.sign_in("jane@x.io", "wrong").await;
        }
        let reply = app.post("/recipe/signin", json!({"email": "jane@x.io", "password": "right"})).await;
        assert_eq!(reply.code(), 429);
    };
    delayed().await;
    // A request that changes nothing frees nothing.
    assert_eq!(consume(&app, "no token").await, invalid());
    app.put("/recipe/user", json!({"recipeUserId": id, "email": "jane@x.io"})).await.ok();
    let reply = app.post("/recipe/signin", json!({"email": "jane@x.io", "password": "right"})).await;
    assert_eq!(reply.code(), 429);
    let token = create(&app, &id, "jane@x.io").await;
    assert_eq!(consume(&app, &token).await["status"], "OK");
    assert_eq!(app.sign_in("jane@x.io", "right").await, "OK");
    delayed().await;
    let body = json!({"method": "token", "token": create(&app, &id, "jane@x.io").await, "newPassword": "right"});
    app.post(RESET, body).cdi("3.1").await.ok();
    assert_eq!(app.sign_in("jane@x.io", "right").await, "OK");
    delayed().await;
    app.put("/recipe/user", json!({"recipeUserId": id, "password": "right"})).await.ok();
    assert_eq!(app.sign_in("jane@x.io", "right").await, "OK");
}
