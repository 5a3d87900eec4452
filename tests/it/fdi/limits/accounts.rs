//! Limits by account, and what they cannot be used for.

use super::{HOME, OFFICE, guess, passed, post, shop};
use crate::app::TestApp;
use crate::fdi::{PASSWORD, form};
use serde_json::json;
use sessiond::jobs::outbox::round;

const OWNER: &str = "jane@x.io";

/// The address of a machine of an attacker who has many.
fn bot(number: usize) -> String {
    format!("45.{}.{}.1", number / 250, number % 250)
}

#[tokio::test]
async fn guessing_one_account_is_slow_from_one_address_and_from_many() {
    let app = shop().build().await;
    assert_eq!(passed(async |_| guess(&app, HOME, OWNER).await).await, 20);
    assert_eq!(passed(async |number| guess(&app, &bot(number), OWNER).await).await, 20, "40 in all");
    let refused = post(&app, &bot(999), "/signin", form(OWNER, PASSWORD)).await;
    assert_eq!(refused.json()["message"], "Too many requests for this account. Try again in 90 seconds");
    // The spelling does not matter, and other accounts are not affected.
    assert_eq!(guess(&app, &bot(999), " Jane@X.io").await, 429);
    assert_eq!(guess(&app, HOME, "joe@x.io").await, 200);
    app.clock.advance(90_000);
    assert_eq!(guess(&app, &bot(999), OWNER).await, 200);
    assert_eq!(guess(&app, &bot(998), OWNER).await, 429);
}

#[tokio::test]
async fn strangers_cannot_keep_the_owner_out() {
    let app = shop().setting("front_rate_limits", r#"{"sign_in": {"app": "60/h"}}"#).build().await;
    post(&app, HOME, "/signup", form(OWNER, PASSWORD)).await.ok();
    assert_eq!(passed(async |number| guess(&app, &bot(number), OWNER).await).await, 40);
    passed(async |number| guess(&app, &bot(number), &format!("{number}@x.io")).await).await;
    assert_eq!(guess(&app, OFFICE, "new@x.io").await, 429, "the app's limit is reached");
    // At home they have signed up; at the office they have not signed in yet, and a link by mail gets them in there.
    post(&app, HOME, "/signin", form(OWNER, PASSWORD)).await.ok();
    assert_eq!(post(&app, OFFICE, "/signin", form(OWNER, PASSWORD)).await.code(), 429);
    reset(&app, OFFICE).await;
    post(&app, OFFICE, "/signin", form(OWNER, "another horse 2")).await.ok();
}

async fn reset(app: &TestApp, from: &str) {
    post(app, from, "/user/password/reset/token", json!({"formFields": [{"id": "email", "value": OWNER}]})).await.ok();
    round(&app.context).await.unwrap();
    let link = app.context.mailer.caught.list().into_iter().find_map(|mail| mail.link).unwrap();
    let token = link.split(['=', '&']).nth(1).unwrap();
    let body = json!({"token": token, "formFields": [{"id": "password", "value": "another horse 2"}]});
    post(app, from, "/user/password/reset", body).await.ok();
}

#[tokio::test]
async fn refusals_do_not_say_whether_an_account_exists() {
    let app = shop().build().await;
    post(&app, OFFICE, "/signup", form(OWNER, PASSWORD)).await.ok();
    let mut told = Vec::new();
    for email in [OWNER, "nobody@x.io"] {
        let mut replies = Vec::new();
        for number in 0..45 {
            let from = bot(number / 2);
            let reply = post(&app, &from, "/signin", form(email, "wrong horse 1")).await;
            replies.push((reply.code(), reply.body(), reply.0.retry_after_s));
            let fields = json!({"formFields": [{"id": "email", "value": email}]});
            let reply = post(&app, &from, "/user/password/reset/token", fields).await;
            replies.push((reply.code(), reply.body(), reply.0.retry_after_s));
        }
        told.push(replies);
    }
    assert_eq!(told[0], told[1]);
    assert!(told[0].iter().any(|(code, ..)| *code == 429));
}

#[tokio::test]
async fn who_knows_the_password_uses_a_tenth() {
    let limits = json!({"sign_in": {"address": "10/h", "account": "5/h"}});
    let app = shop().setting("front_rate_limits", &limits.to_string()).build().await;
    for number in 0..20 {
        post(&app, OFFICE, "/signup", form(&format!("p{number}@x.io"), PASSWORD)).await.ok();
    }
    for round in 0..4 {
        for number in 0..20 {
            let reply = post(&app, OFFICE, "/signin", form(&format!("p{number}@x.io"), PASSWORD)).await;
            assert_eq!(reply.code(), 200, "{round} {number}: {}", reply.body());
        }
    }
    assert_eq!(
        passed(async |number| guess(&app, OFFICE, &format!("q{number}@x.io")).await).await,
        2,
        "8 of 10 are used"
    );
}

#[tokio::test]
async fn refusals_for_an_account_use_up_nothing_of_the_address() {
    let app = shop().build().await;
    for _ in 0..500 {
        guess(&app, OFFICE, OWNER).await;
    }
    assert_eq!(passed(async |number| guess(&app, OFFICE, &format!("q{number}@x.io")).await).await, 80);
}
