//! Mail bombs, and text messages that somebody earns money with.

use super::{HOME, OFFICE, passed, post, shop};
use crate::app::{TestApp, TestAppBuilder};
use serde_json::{Value, json};
use sessiond::jobs::outbox::round;
use sessiond::store::Keyspace;

fn codes() -> TestAppBuilder {
    shop().setting("recipe_list", "passwordless,emailpassword").setting("passwordless_contact_method", "EMAIL_OR_PHONE")
}

async fn ask(app: &TestApp, from: &str, contact: Value) -> u16 {
    post(app, from, "/signinup/code", contact).await.code()
}

/// A mobile number in Germany.
fn german(number: usize) -> Value {
    json!({"phoneNumber": format!("+491511234{number:04}")})
}

#[tokio::test]
async fn a_mailbox_is_not_flooded_whatever_the_spelling() {
    let app = codes().build().await;
    let spelt = async |number: usize| ask(&app, HOME, json!({"email": format!("Jane+{number}@x.io")})).await;
    assert_eq!(passed(spelt).await, 10);
    assert_eq!(ask(&app, HOME, json!({"email": "jane@x.io"})).await, 429);
    let fields = json!({"formFields": [{"id": "email", "value": "jane@x.io"}]});
    assert_eq!(post(&app, HOME, "/user/password/reset/token", fields).await.code(), 429, "mail of another kind");
    let elsewhere = async |number: usize| ask(&app, &format!("45.0.0.{number}"), json!({"email": "jane@x.io"})).await;
    assert_eq!(passed(elsewhere).await, 10);
    assert_eq!(app.rows(Keyspace::Outbox).await, 20);
    assert_eq!(ask(&app, HOME, json!({"email": "joe@x.io"})).await, 200);
}

#[tokio::test]
async fn text_messages_are_limited_by_number_and_by_address() {
    let app = codes().build().await;
    assert_eq!(passed(async |_| ask(&app, HOME, german(1)).await).await, 5);
    assert_eq!(passed(async |number| ask(&app, HOME, german(number + 2)).await).await, 25);
    assert_eq!(ask(&app, OFFICE, german(1)).await, 200);
}

#[tokio::test]
async fn text_messages_into_a_country_are_limited_for_all_addresses_together() {
    let app = codes().setting("front_rate_limits", r#"{"text": {"country": "10/h", "app": "13/h"}}"#).build().await;
    let from = |number: usize| format!("45.0.1.{number}");
    assert_eq!(passed(async |number| ask(&app, &from(number), german(number)).await).await, 10);
    // Countries that share a calling code have a limit each; the app's is for all of them.
    let american =
        async |number: usize| ask(&app, &from(number), json!({"phoneNumber": format!("+1201555012{number}")})).await;
    assert_eq!(passed(american).await, 3);
    assert_eq!(app.rows(Keyspace::Outbox).await, 13);
    app.clock.advance(360_000);
    assert_eq!(ask(&app, HOME, german(99)).await, 200);
}

#[tokio::test]
async fn people_who_type_in_their_code_leave_room_for_others() {
    let app = codes().setting("front_rate_limits", r#"{"text": {"address": "4/h"}}"#).build().await;
    for number in 0..20 {
        let begun = post(&app, OFFICE, "/signinup/code", german(number)).await.ok().json();
        round(&app.context).await.unwrap();
        let code = app.context.mailer.caught.list().into_iter().find_map(|text| text.code).unwrap();
        app.context.mailer.caught.clear();
        let body = json!({
            "deviceId": begun["deviceId"], "preAuthSessionId": begun["preAuthSessionId"], "userInputCode": code,
        });
        post(&app, OFFICE, "/signinup/code/consume", body).await.ok();
    }
    assert_eq!(passed(async |number| ask(&app, OFFICE, german(number + 50)).await).await, 2, "2 of 4 are used");
}

#[tokio::test]
async fn another_code_is_a_message_too() {
    let app = codes().build().await;
    let begun = post(&app, HOME, "/signinup/code", german(1)).await.ok().json();
    let again = async |_| post(&app, HOME, "/signinup/code/resend", begun.clone()).await.code();
    assert_eq!(passed(again).await, 4);
    assert_eq!(app.rows(Keyspace::Outbox).await, 5);
}

#[tokio::test]
async fn codes_for_one_contact_are_guessed_slowly() {
    let app = codes().setting("passwordless_max_code_input_attempts", "1000").build().await;
    let begun = post(&app, HOME, "/signinup/code", german(1)).await.ok().json();
    let wrong = json!({
        "deviceId": begun["deviceId"], "preAuthSessionId": begun["preAuthSessionId"], "userInputCode": "abcdef",
    });
    assert_eq!(passed(async |_| post(&app, HOME, "/signinup/code/consume", wrong.clone()).await.code()).await, 20);
    let elsewhere = async |number: usize| {
        post(&app, &format!("45.0.0.{number}"), "/signinup/code/consume", wrong.clone()).await.code()
    };
    assert_eq!(passed(elsewhere).await, 20);
}
