//! What is stored, and what is deleted with time and with users.

use crate::app::TestApp;
use crate::people::with_cheap_passwords;
use crate::store::assert_holds_none_of;
use serde_json::json;
use sessiond::domain::clock_watch::SETTLING_MS;
use sessiond::domain::ids::{AppId, UserId};
use sessiond::domain::one_time_token::OneTimeHash;
use sessiond::domain::token_series::{Series, SeriesId};
use sessiond::jobs::reset_tokens::ResetTokens;
use sessiond::jobs::unused_round;
use sessiond::jobs::walk::Walk;
use sessiond::store::Keyspace;
use sessiond::store::passwordreset::{self, ResetTokenRecord};

async fn token(app: &TestApp, id: &str) -> String {
    app.post("/recipe/user/password/reset/token", json!({"userId": id, "email": "e"})).await.ok().text_at("/token")
}

async fn consume(app: &TestApp, token: &str) -> String {
    app.post("/recipe/user/password/reset/token/consume", json!({"token": token})).await.text_at("/status")
}

/// Rows of tokens, and of their index with the series.
async fn rows(app: &TestApp) -> [usize; 2] {
    let mut counts = [0; 2];
    for (count, keyspace) in counts.iter_mut().zip([Keyspace::PasswordResetToken, Keyspace::PasswordResetTokenByUser]) {
        *count = app.rows(keyspace).await;
    }
    counts
}

async fn walk(app: &TestApp) -> u64 {
    let mut walk = Walk::<ResetTokens>::new();
    while walk.step(&app.context, app.context.clock.reading()).await.unwrap() {}
    walk.deleted()
}

#[tokio::test]
async fn neither_passwords_nor_tokens_are_stored() {
    const PASSWORD: &str = "correct horse battery staple";
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("jane@x.io", PASSWORD).await;
    let token = token(&app, &id).await;
    assert_holds_none_of(&*app.context.store, &[PASSWORD.as_bytes(), token.as_bytes()]).await;
}

#[tokio::test]
async fn unused_tokens_go_after_their_time_and_not_before() {
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("jane@x.io", "password").await;
    for _ in 0..90 {
        token(&app, &id).await;
    }
    app.clock.advance(1000);
    let last = token(&app, &id).await;
    assert_eq!(rows(&app).await, [91, 92]);
    app.clock.advance(3_600_000 - 1000);
    assert_eq!(walk(&app).await, 0, "they are valid until their last moment");
    app.clock.advance(1);
    assert_eq!(walk(&app).await, 90);
    assert_eq!(rows(&app).await, [1, 2]);
    assert_eq!(consume(&app, &last).await, "OK");
    assert_eq!(rows(&app).await, [0, 0]);
    token(&app, &id).await;
    app.clock.advance(3_600_001);
    assert_eq!(walk(&app).await, 1);
    assert_eq!(rows(&app).await, [0, 0]);
}

#[tokio::test]
async fn a_round_deletes_them_once_the_clock_is_relied_on() {
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("jane@x.io", "password").await;
    for _ in 0..3 {
        token(&app, &id).await;
    }
    app.clock.advance(3_600_001);
    assert_eq!(unused_round(&app.context).await, None, "the clock is not known to be reliable yet");
    assert_eq!(rows(&app).await, [3, 4]);
    app.clock.advance(SETTLING_MS);
    let living = token(&app, &app.sign_up("joe@x.io", "password").await).await;
    assert_eq!(unused_round(&app.context).await, Some(3));
    assert_eq!(rows(&app).await, [1, 2]);
    assert_eq!(consume(&app, &living).await, "OK");
}

#[tokio::test]
async fn of_very_many_tokens_none_is_good_after_one_was_used() {
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("jane@x.io", "password").await;
    let mut tokens = Vec::new();
    for _ in 0..400 {
        tokens.push(token(&app, &id).await);
    }
    let mut good = Vec::new();
    for (number, token) in tokens.iter().enumerate() {
        if consume(&app, token).await == "OK" {
            good.push(number);
        }
    }
    assert_eq!(good, [300], "the oldest of the newest hundred, and with it the others are used up");
    assert_eq!(rows(&app).await, [0, 0]);
}

#[tokio::test]
async fn the_newest_hundred_tokens_are_good() {
    let app = with_cheap_passwords().build().await;
    for (made, used, status) in [
        (101, 0, "RESET_PASSWORD_INVALID_TOKEN_ERROR"),
        (101, 1, "OK"),
        (100, 0, "OK"),
        (250, 249, "OK"),
        (250, 149, "RESET_PASSWORD_INVALID_TOKEN_ERROR"),
    ] {
        let id = app.sign_up(&format!("{made}-{used}@x.io"), "password").await;
        let mut tokens = Vec::new();
        for _ in 0..made {
            app.clock.advance(1);
            tokens.push(token(&app, &id).await);
        }
        assert_eq!(consume(&app, &tokens[used]).await, status, "{used} of {made}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_tokens_made_at_once_a_hundred_stay_and_the_user_can_be_deleted() {
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("jane@x.io", "password").await;
    let makers: Vec<_> = (0..8)
        .map(|_| {
            let (app, id) = (app.clone(), id.clone());
            tokio::spawn(async move {
                for _ in 0..20 {
                    token(&app, &id).await;
                }
            })
        })
        .collect();
    for maker in makers {
        maker.await.unwrap();
    }
    assert_eq!(rows(&app).await, [100, 101]);
    let last = token(&app, &id).await;
    assert_eq!(consume(&app, &last).await, "OK");
    for _ in 0..101 {
        token(&app, &id).await;
    }
    assert_eq!(rows(&app).await, [100, 101]);
    app.post("/user/remove", json!({"userId": id})).await.ok();
    assert_eq!(rows(&app).await, [0, 0]);
}

#[tokio::test]
async fn of_tokens_from_before_they_were_counted_none_is_good_after_one_was_used() {
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("jane@x.io", "password").await;
    let (base, series) = (AppId::base(), Series::new(SeriesId(1)));
    let expires = app.context.now().plus(3_600_000);
    let mut tx = app.context.store.begin();
    for number in 0..400 {
        // Nothing in the series: a record of an older version.
        let user = UserId::new(id.as_str());
        let record = ResetTokenRecord::new(user.clone(), "e".to_owned(), expires, series.id);
        let hash = OneTimeHash::of(&number.to_string());
        passwordreset::tokens_of(&base, &user).add(tx.as_mut(), &hash, series.clone(), &record).unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(consume(&app, "7").await, "OK");
    for number in 0..400 {
        assert_eq!(consume(&app, &number.to_string()).await, "RESET_PASSWORD_INVALID_TOKEN_ERROR");
    }
    assert!(rows(&app).await[0] > 0, "dead rows wait for their time");
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
