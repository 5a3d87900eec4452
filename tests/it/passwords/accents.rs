//! Passwords with accents are the same from keyboards that compose letters and from those that do not.

use super::timing::assert_same_time;
use crate::app::TestApp;
use crate::people::with_cheap_passwords;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use base64::{Engine as _, alphabet};
use serde_json::json;
use sessiond::crypto::password::{Check, StoredHash};
use sessiond::domain::ids::AppId;
use sessiond::domain::password::HashParameters;

const COMPOSED: &str = "caf\u{e9} \u{1ec7} \u{d55c}";
const DECOMPOSED: &str = "cafe\u{301} e\u{302}\u{323} \u{1112}\u{1161}\u{11ab}";
const WRONG: &str = "WRONG_CREDENTIALS_ERROR";
const JANE: &str = "jane@x.io";

/// A hash as other programs make it: of the password as it was sent.
fn hash_of(password: &str) -> String {
    StoredHash::new(password.as_bytes(), HashParameters::Bcrypt { cost: 4 }, *b"0123456789abcdef").unwrap().text()
}

async fn import(app: &TestApp, hash: &str) {
    app.post("/recipe/user/passwordhash/import", json!({"email": JANE, "passwordHash": hash})).await.ok();
}

#[tokio::test]
async fn whoever_signed_up_on_one_device_signs_in_on_another() {
    for (chosen, other) in [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)] {
        let app = with_cheap_passwords().build().await;
        let id = app.sign_up(JANE, chosen).await;
        for password in [chosen, other] {
            assert_eq!(app.sign_in(JANE, password).await, "OK");
        }
        let stored = app.stored_hash(&AppId::base(), JANE).await;
        assert_eq!(app.sign_in(JANE, "cafe \u{ea} \u{d55c}").await, WRONG, "letters without their accents");
        app.put("/recipe/user", json!({"recipeUserId": id, "password": format!("{chosen}!")})).await.ok();
        assert_eq!(app.sign_in(JANE, &format!("{other}!")).await, "OK");
        assert_eq!(app.sign_in(JANE, other).await, WRONG);
        assert_ne!(app.stored_hash(&AppId::base(), JANE).await, stored);
        let token = app.post("/recipe/user/password/reset/token", json!({"userId": id, "email": JANE})).await.ok();
        let body = json!({"method": "token", "token": token.text_at("/token"), "newPassword": chosen});
        app.post("/recipe/user/password/reset", body).cdi("3.1").await.ok();
        assert_eq!(app.sign_in(JANE, other).await, "OK");
    }
}

#[tokio::test]
async fn hashes_of_passwords_as_they_were_sent_stay_good_and_follow() {
    let app = with_cheap_passwords().build().await;
    let old = hash_of(DECOMPOSED);
    import(&app, &old).await;
    assert_eq!(app.sign_in(JANE, COMPOSED).await, WRONG, "the password of the hash cannot be known");
    assert_eq!(app.stored_hash(&AppId::base(), JANE).await, old);
    assert_eq!(app.sign_in(JANE, DECOMPOSED).await, "OK");
    assert_ne!(app.stored_hash(&AppId::base(), JANE).await, old, "a sign-in brings it up to date");
    let new = app.stored_hash(&AppId::base(), JANE).await;
    for password in [COMPOSED, DECOMPOSED] {
        assert_eq!(app.sign_in(JANE, password).await, "OK");
    }
    assert_eq!(app.stored_hash(&AppId::base(), JANE).await, new, "once is enough");
    import(&app, &hash_of(COMPOSED)).await;
    for password in [DECOMPOSED, COMPOSED] {
        assert_eq!(app.sign_in(JANE, password).await, "OK");
        assert_eq!(app.stored_hash(&AppId::base(), JANE).await, hash_of(COMPOSED), "it is like a new one");
    }
}

/// An imported hash that covers only 72 bytes: the owner's password may be longer.
#[tokio::test]
async fn a_hash_that_may_be_of_a_longer_password_is_not_replaced_by_a_shorter_one() {
    let app = with_cheap_passwords().build().await;
    let start = format!("e\u{301}{}", "p".repeat(69));
    assert_eq!(start.len(), 72);
    // bcrypt of the 72 bytes of `start`, as made by a library that truncates passwords.
    let cut = {
        let bytes = bcrypt::bcrypt(4, *b"0123456789abcdef", start.as_bytes());
        let engine = GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD);
        format!("$2y$04${}{}", engine.encode(b"0123456789abcdef"), engine.encode(&bytes[..23]))
    };
    import(&app, &cut).await;
    assert_eq!(app.sign_in(JANE, &start).await, "OK");
    assert_eq!(app.stored_hash(&AppId::base(), JANE).await, cut);
    let whole = format!("{start} and more");
    assert_eq!(app.sign_in(JANE, &whole).await, "OK");
    assert_eq!(app.sign_in(JANE, &start).await, WRONG, "now the whole password is known");
    assert_eq!(app.sign_in(JANE, &whole.replace("e\u{301}", "\u{e9}")).await, "OK");
}

#[tokio::test]
async fn compatibility_forms_are_characters_of_their_own() {
    let app = with_cheap_passwords().build().await;
    app.sign_up(JANE, "\u{fb01}sh\u{b2}").await;
    assert_eq!(app.sign_in(JANE, "\u{fb01}sh\u{b2}").await, "OK");
    assert_eq!(app.sign_in(JANE, "fish2").await, WRONG);
}

#[tokio::test]
async fn operators_of_the_dashboard_have_accents_too_and_are_counted_as_composed() {
    let app = with_cheap_passwords().build().await;
    let create = async |password: &str| {
        let body = json!({"email": JANE, "password": password});
        app.post("/recipe/dashboard/user", body).await.json()["status"].clone()
    };
    assert_eq!(create("e\u{301}e\u{301}e\u{301}a1").await, "PASSWORD_WEAK_ERROR", "five letters");
    assert_eq!(create("e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}a1").await, "OK");
    let composed = json!({"email": JANE, "password": "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}a1"});
    app.post("/recipe/dashboard/signin", composed).await.ok();
}

#[tokio::test]
async fn an_unknown_account_costs_two_hashes_where_a_wrong_password_does() {
    let app = TestApp::builder().setting("bcrypt_log_rounds", "5").build().await;
    let config = &app.context.directory.base().app;
    let stored = hash_of_cost(5, "another");
    for password in [DECOMPOSED, COMPOSED] {
        let unknown = async || assert_eq!(check(&app, None, password).await, Check::Wrong);
        let wrong = async || assert_eq!(check(&app, Some(&stored), password).await, Check::Wrong);
        assert_same_time(unknown, wrong).await;
    }
    let before = app.context.hashing.stats()[0];
    app.context.hashing.check(None, DECOMPOSED, config).await.unwrap();
    assert_eq!(app.context.hashing.stats()[0].done - before.done, 1, "both wait for one place in the queue");
}

fn hash_of_cost(cost: u32, password: &str) -> String {
    StoredHash::new(password.as_bytes(), HashParameters::Bcrypt { cost }, *b"0123456789abcdef").unwrap().text()
}

async fn check(app: &TestApp, stored: Option<&str>, password: &str) -> Check {
    app.context.hashing.check(stored, password, &app.context.directory.base().app).await.unwrap()
}
