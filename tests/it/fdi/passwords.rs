//! New passwords that are easily guessed are refused at the front door, and nowhere else.

use super::{PASSWORD, form, sign_up};
use crate::app::{TestApp, TestReply};
use http::Method;
use serde_json::{Value, json};
use sessiond::jobs::outbox::round;

const GUESSABLE: &str = "This password is easy to guess. Please choose another one.";

async fn post(app: &TestApp, path: &str, body: &Value) -> TestReply {
    app.front(Method::POST, path).json(body).await
}

/// The reply shows the person, at the password's field, that it is easy to guess.
#[track_caller]
fn assert_guessable(reply: &TestReply) {
    let expected = json!({"status": "FIELD_ERROR", "formFields": [{"id": "password", "error": GUESSABLE}]});
    assert_eq!(reply.json(), expected);
}

#[tokio::test]
async fn sign_up_refuses_common_passwords_and_names() {
    let app = TestApp::builder().setting("app_name", "Corner Shop").build().await;
    for password in ["password1", "P4ssw0rd!", "cornershop1", "mia.meyer1", "mia.meyer@shop.example1"] {
        assert_guessable(&post(&app, "/auth/signup", &form(" Mia.Meyer@shop.example", password)).await);
    }
    // Rules that the frontend knows come first.
    let short = post(&app, "/auth/signup", &form("mia.meyer@shop.example", "dragon1")).await;
    assert!(short.body().contains("at least 8 characters"), "{}", short.body());
    let other = post(&app, "/auth/signup", &form("mia.meyer@shop.example", PASSWORD)).await;
    assert_eq!(other.json()["status"], "OK");
}

#[tokio::test]
async fn a_refused_password_leaves_the_link_for_a_new_one_valid() {
    let app = TestApp::new().await;
    sign_up(&app, "a@b.cd").await;
    let ask = json!({"formFields": [{"id": "email", "value": "a@b.cd"}]});
    post(&app, "/auth/user/password/reset/token", &ask).await;
    round(&app.context).await.unwrap();
    let mails = app.front(Method::GET, "/auth/dev/mail.json").await.json();
    let token = mails[0]["link"].as_str().unwrap().split(['=', '&']).nth(1).unwrap().to_owned();
    let new = |password| json!({"token": token, "formFields": [{"id": "password", "value": password}]});
    assert_guessable(&post(&app, "/auth/user/password/reset", &new("iloveyou2")).await);
    let done = post(&app, "/auth/user/password/reset", &new("another horse 2")).await;
    assert_eq!(done.json()["status"], "OK");
}

#[tokio::test]
async fn passwords_that_people_have_and_those_that_applications_set_are_not_checked() {
    let app = TestApp::new().await;
    let body = json!({"email": "a@b.cd", "password": "password1"});
    assert_eq!(app.post("/recipe/signup", body).await.ok().json()["status"], "OK");
    assert_eq!(post(&app, "/auth/signin", &form("a@b.cd", "password1")).await.json()["status"], "OK");
}
