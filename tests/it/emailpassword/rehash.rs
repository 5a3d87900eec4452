//! Hashes made with other settings than new ones are replaced when their owner signs in.

use crate::app::TestApp;
use crate::passwords::timing::{assert_same_time, is_told_apart};
use crate::people::{FIREBASE, SIGNER_KEY, with_cheap_passwords};
use serde_json::json;
use sessiond::domain::ids::AppId;
use std::time::Duration;
use tokio::task::JoinSet;

/// Of "abc".
const BCRYPT: &str = "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i";
/// Of "password".
const ARGON2: &str = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
const WRONG: &str = "WRONG_CREDENTIALS_ERROR";

async fn import(app: &TestApp, email: &str, hash: &str) {
    let body = json!({"email": email, "passwordHash": hash});
    app.post("/recipe/user/passwordhash/import", body).await.ok();
}

/// The stored hash for this address.
async fn stored(app: &TestApp, email: &str) -> String {
    app.stored_hash(&AppId::base(), email).await
}

#[tokio::test]
async fn one_sign_in_brings_a_hash_up_to_the_settings() {
    for (settings, prefix) in [
        ([("password_hashing_alg", "BCRYPT"), ("bcrypt_log_rounds", "4")], "$2a$04$"),
        ([("password_hashing_alg", "ARGON2"), ("argon2_memory_kb", "64")], "$argon2id$v=19$m=64,t=1,p=2$"),
    ] {
        let app = TestApp::builder().setting("firebase_password_hashing_signer_key", SIGNER_KEY);
        let app = settings.into_iter().fold(app, |app, (key, value)| app.setting(key, value)).build().await;
        for (email, hash, password) in
            [("b@x.io", BCRYPT, "abc"), ("a@x.io", ARGON2, "password"), ("f@x.io", FIREBASE, "user1password")]
        {
            import(&app, email, hash).await;
            assert_eq!(app.sign_in(email, "another").await, WRONG);
            assert_eq!(stored(&app, email).await, hash, "nothing changes without the right password");
            assert_eq!(app.sign_in(email, password).await, "OK");
            let new = stored(&app, email).await;
            assert!(new.starts_with(prefix), "{new}");
            assert_eq!(
                (app.sign_in(email, password).await.as_str(), app.sign_in(email, "another").await.as_str()),
                ("OK", WRONG)
            );
            assert_eq!(stored(&app, email).await, new, "once is enough");
        }
        let audit = app.get("/audit?kind=password-changed").await.ok().json();
        assert_eq!(audit["events"], json!([]), "the passwords are the same");
    }
}

#[tokio::test]
async fn changed_settings_reach_the_accounts_that_are_there() {
    let before = with_cheap_passwords().build().await;
    before.sign_up("jane@x.io", "a password").await;
    let after = TestApp::builder().store(before.context.store.clone()).setting("bcrypt_log_rounds", "5").build().await;
    assert_eq!(after.sign_in("jane@x.io", "a password").await, "OK");
    assert!(stored(&after, "jane@x.io").await.starts_with("$2a$05$"));
    assert_eq!(before.sign_in("jane@x.io", "a password").await, "OK");
    assert!(stored(&before, "jane@x.io").await.starts_with("$2a$04$"), "downwards, too");
}

/// The first 72 bytes of a long password match an imported hash. If only they were hashed again, the whole password
/// would no longer match.
#[tokio::test]
async fn a_hash_that_may_be_of_a_longer_password_stays() {
    /// bcrypt of 72 times "p", at cost 4.
    const OF_LONG: &str = "$2y$04$Y11AEhm/KRvlHFGGZLCgXO4n.oO9ntCYev.qhk7nurxi1AB8FfKxS";
    let app = TestApp::builder().setting("bcrypt_log_rounds", "5").build().await;
    import(&app, "jane@x.io", OF_LONG).await;
    assert_eq!(app.sign_in("jane@x.io", &"p".repeat(72)).await, "OK");
    assert_eq!(stored(&app, "jane@x.io").await, OF_LONG);
    assert_eq!(app.sign_in("jane@x.io", &"p".repeat(90)).await, "OK");
    assert!(stored(&app, "jane@x.io").await.starts_with("$bcrypt-sha256$v=2,t=2b,r=5$"));
    assert_eq!(app.sign_in("jane@x.io", &"p".repeat(72)).await, WRONG);
}

#[tokio::test]
async fn when_no_new_hash_can_be_made_the_person_gets_in_with_the_old_one() {
    let app = with_cheap_passwords().setting("password_hashing_queue_size", "0").build().await;
    import(&app, "jane@x.io", ARGON2).await;
    let running = app.busy_with_bcrypt(14).await;
    assert_eq!(app.sign_in("jane@x.io", "password").await, "OK");
    let [bcrypt, ..] = app.context.hashing.stats();
    assert_eq!((bcrypt.refused, bcrypt.done), (1, 0));
    assert_eq!(stored(&app, "jane@x.io").await, ARGON2);
    drop(running);
    while app.context.hashing.stats()[0].done == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(app.sign_in("jane@x.io", "password").await, "OK");
    assert!(stored(&app, "jane@x.io").await.starts_with("$2a$04$"));
}

#[tokio::test]
async fn a_password_that_is_changed_meanwhile_wins() {
    let app = with_cheap_passwords().build().await;
    import(&app, "jane@x.io", ARGON2).await;
    let running = app.busy_with_bcrypt(11).await;
    let (email, old) = ("jane@x.io", "password");
    let signing_in = tokio::spawn({
        let app = app.clone();
        async move { app.sign_in(email, old).await }
    });
    // The old password was right; its new hash is waiting for a thread.
    while app.context.hashing.stats()[0].waiting == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(!signing_in.is_finished());
    }
    import(&app, email, BCRYPT).await;
    assert_eq!(signing_in.await.unwrap(), WRONG);
    assert_eq!(stored(&app, email).await, BCRYPT);
    drop(running);
    assert_eq!((app.sign_in(email, old).await.as_str(), app.sign_in(email, "abc").await.as_str()), (WRONG, "OK"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_sign_ins_at_once_all_get_in_and_one_new_hash_stays() {
    let app = with_cheap_passwords().build().await;
    for round in 0..5 {
        let email = format!("{round}@x.io");
        import(&app, &email, ARGON2).await;
        let mut running = JoinSet::new();
        for _ in 0..16 {
            let (app, email) = (app.clone(), email.clone());
            running.spawn(async move { app.sign_in(&email, "password").await });
        }
        let statuses = running.join_all().await;
        assert!(statuses.iter().all(|status| status == "OK"), "{statuses:?}");
        assert!(stored(&app, &email).await.starts_with("$2a$04$"));
    }
}

#[tokio::test]
async fn a_clock_does_not_tell_who_has_an_account_once_its_owner_has_signed_in() {
    let app = TestApp::builder().setting("bcrypt_log_rounds", "7").build().await;
    import(&app, "jane@x.io", ARGON2).await;
    let unknown = async || assert_eq!(app.sign_in("joe@x.io", "wrong").await, WRONG);
    let wrong = async || assert_eq!(app.sign_in("jane@x.io", "wrong").await, WRONG);
    assert!(is_told_apart(unknown, wrong).await, "the test can see a difference");
    assert_eq!(app.sign_in("jane@x.io", "password").await, "OK");
    assert_same_time(unknown, wrong).await;
}
