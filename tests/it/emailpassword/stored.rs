//! What is stored, and what goes with time and with users.

use crate::app::TestApp;
use crate::people::with_cheap_passwords;
use serde_json::json;
use sessiond::jobs::reset_tokens::ResetTokens;
use sessiond::jobs::walk::Walk;
use sessiond::store::{Key, Keyspace, Scan};

async fn token(app: &TestApp, id: &str) -> String {
    app.post("/recipe/user/password/reset/token", json!({"userId": id, "email": "e"})).await.ok().text_at("/token")
}

/// Rows of tokens, and of their index with the series.
async fn rows(app: &TestApp) -> [usize; 2] {
    let mut counts = [0; 2];
    for (count, keyspace) in counts.iter_mut().zip([Keyspace::PasswordResetToken, Keyspace::PasswordResetTokenByUser]) {
        let start = Key::of(keyspace);
        let scan = Scan { end: start.prefix_end(), start, reverse: false, limit: 10_000 };
        *count = app.app.store.begin().scan(&scan).await.unwrap().len();
    }
    counts
}

async fn walk(app: &TestApp) -> u64 {
    let mut walk = Walk::<ResetTokens>::new();
    while walk.step(&app.app, app.app.now()).await.unwrap() {}
    walk.deleted()
}

#[tokio::test]
async fn neither_passwords_nor_tokens_are_stored() {
    const PASSWORD: &str = "correct horse battery staple";
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("jane@x.io", PASSWORD).await;
    let token = token(&app, &id).await;
    for keyspace in Keyspace::ALL {
        let start = Key::of(keyspace);
        let scan = Scan { end: start.prefix_end(), start, reverse: false, limit: 10_000 };
        for (key, bytes) in app.app.store.begin().scan(&scan).await.unwrap() {
            for secret in [PASSWORD.as_bytes(), token.as_bytes()] {
                let found =
                    [&key.bytes, &bytes].into_iter().any(|row| row.windows(secret.len()).any(|at| at == secret));
                assert!(!found, "{key}");
            }
        }
    }
}

#[tokio::test]
async fn unused_tokens_go_after_their_time_and_not_before() {
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("jane@x.io", "password").await;
    for _ in 0..150 {
        token(&app, &id).await;
    }
    app.clock.advance(1000);
    let last = token(&app, &id).await;
    assert_eq!(rows(&app).await, [151, 152]);
    app.clock.advance(3_600_000 - 1000);
    assert_eq!(walk(&app).await, 0, "their last moment is their own");
    app.clock.advance(1);
    assert_eq!(walk(&app).await, 150);
    assert_eq!(rows(&app).await, [1, 2]);
    let consumed = app.post("/recipe/user/password/reset/token/consume", json!({"token": last})).await;
    assert_eq!(consumed.text_at("/status"), "OK");
    assert_eq!(rows(&app).await, [0, 0]);
    token(&app, &id).await;
    app.clock.advance(3_600_001);
    assert_eq!(walk(&app).await, 1);
    assert_eq!(rows(&app).await, [0, 0]);
}

#[tokio::test]
async fn of_very_many_tokens_none_is_good_after_one_was_used() {
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("jane@x.io", "password").await;
    let mut tokens = Vec::new();
    for _ in 0..400 {
        tokens.push(token(&app, &id).await);
    }
    let mut good = 0;
    for token in &tokens {
        let reply = app.post("/recipe/user/password/reset/token/consume", json!({"token": token})).await;
        good += usize::from(reply.text_at("/status") == "OK");
    }
    assert_eq!(good, 1);
    app.clock.advance(3_600_001);
    walk(&app).await;
    assert_eq!(rows(&app).await[0], 0);
}

#[tokio::test]
async fn a_users_tokens_go_with_the_user() {
    let app = with_cheap_passwords().build().await;
    let (jane, joe) = (app.sign_up("jane@x.io", "p").await, app.sign_up("joe@x.io", "p").await);
    for id in [&jane, &jane, &joe] {
        token(&app, id).await;
    }
    app.post("/user/remove", json!({"userId": jane})).await.ok();
    assert_eq!(rows(&app).await, [1, 2]);
    assert_eq!(app.sign_in("jane@x.io", "p").await, "WRONG_CREDENTIALS_ERROR");
    assert_eq!(app.sign_in("joe@x.io", "p").await, "OK");
}
