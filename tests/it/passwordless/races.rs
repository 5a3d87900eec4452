//! Concurrent requests.

use crate::app::TestApp;
use crate::people::method;
use serde_json::{Value, json};
use sessiond::domain::user::Login;
use sessiond::store::Keyspace;
use std::sync::Arc;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// Sends them all at once; the replies in any order.
async fn at_once(app: &TestApp, requests: Vec<(&'static str, Value)>) -> Vec<Value> {
    let start = Arc::new(Barrier::new(requests.len()));
    let mut running = JoinSet::new();
    for (path, body) in requests {
        let (app, start) = (app.clone(), Arc::clone(&start));
        running.spawn(async move {
            start.wait().await;
            app.post(path, body).await.json()
        });
    }
    running.join_all().await
}

fn count(replies: &[Value], status: &str) -> usize {
    replies.iter().filter(|reply| reply["status"] == status).count()
}

const CONSUME: &str = "/recipe/signinup/code/consume";
const CHECK: &str = "/recipe/signinup/code/check";

async fn nothing_is_left(app: &TestApp) {
    for keyspace in Keyspace::ALL.into_iter().filter(|keyspace| keyspace.name().starts_with("passwordless")) {
        assert_eq!(app.rows(keyspace).await, 0, "{}", keyspace.name());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_one_code_used_many_times_at_once_one_use_wins() {
    let app = TestApp::new().await;
    for round in 0..10 {
        let sent = app.send(json!({"email": format!("{round}@x.io")})).await;
        let requests =
            (0..12).map(|number: usize| (CONSUME, if number.is_multiple_of(2) { sent.link() } else { sent.input() }));
        let replies = at_once(&app, requests.collect()).await;
        assert_eq!((count(&replies, "OK"), count(&replies, "RESTART_FLOW_ERROR")), (1, 11), "{replies:?}");
    }
    assert_eq!(app.get("/users/count").await.json()["count"], 10);
    nothing_is_left(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_devices_of_one_contact_one_signs_up() {
    let app = TestApp::new().await;
    for round in 0..10 {
        let to = json!({"phoneNumber": format!("+49301234{round:02}")});
        let mut requests = Vec::new();
        for _ in 0..4 {
            let sent = app.send(to.clone()).await;
            requests.extend([(CONSUME, sent.link()), (CONSUME, sent.input())]);
        }
        let replies = at_once(&app, requests).await;
        assert_eq!((count(&replies, "OK"), count(&replies, "RESTART_FLOW_ERROR")), (1, 7), "{replies:?}");
    }
    assert_eq!(app.get("/users/count").await.json()["count"], 10);
    nothing_is_left(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_codes_for_both_contacts_of_a_person_one_signs_in() {
    let app = TestApp::new().await;
    for round in 0..10 {
        let (email, number) = (format!("{round}@x.io"), format!("+49301234{round:02}"));
        let login = Login::Passwordless { email: Some(email.clone()), phone_number: Some(number.clone()) };
        app.people([method(&format!("p{round}"), round, login)]).await;
        let mut requests = Vec::new();
        for to in [json!({"email": email}), json!({"phoneNumber": number})] {
            let sent = app.send(to).await;
            requests.extend([(CONSUME, sent.link()), (CONSUME, sent.input()), (CHECK, sent.typed("wrong"))]);
        }
        let replies = at_once(&app, requests).await;
        let signed_in = replies.iter().filter(|reply| reply["createdNewUser"] == false).count();
        assert_eq!((signed_in, count(&replies, "OK")), (1, 1), "{replies:?}");
    }
    assert_eq!(app.get("/users/count").await.json()["count"], 10);
    nothing_is_left(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn attempts_that_meet_are_counted_one_by_one() {
    let app = TestApp::builder().setting("passwordless_max_code_input_attempts", "9").build().await;
    for round in 0..5 {
        let sent = app.send(json!({"email": format!("{round}@x.io")})).await;
        let wrong = |number: usize| (if number.is_multiple_of(2) { CONSUME } else { CHECK }, sent.typed("no code"));
        let replies = at_once(&app, (0..12).map(wrong).collect()).await;
        let mut counts: Vec<u64> =
            replies.iter().filter_map(|reply| reply["failedCodeInputAttemptCount"].as_u64()).collect();
        counts.sort_unstable();
        assert_eq!(counts, (1..=8).collect::<Vec<_>>(), "{replies:?}");
        assert_eq!(count(&replies, "RESTART_FLOW_ERROR"), 4, "the ninth, and those that found no device");
        assert_eq!(app.consumed(sent.input()).await, "RESTART_FLOW_ERROR");
    }
    nothing_is_left(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_code_that_is_made_while_another_is_used_leaves_nothing_behind() {
    let app = TestApp::new().await;
    for round in 0..10 {
        let sent = app.send(json!({"email": format!("{round}@x.io")})).await;
        let another = json!({"deviceId": sent.device()});
        let mut requests = vec![(CONSUME, sent.link())];
        requests.extend((0..6).map(|_| ("/recipe/signinup/code", another.clone())));
        let replies = at_once(&app, requests).await;
        let created = replies.iter().filter(|reply| reply["linkCode"].is_string()).count();
        assert_eq!(created + count(&replies, "RESTART_FLOW_ERROR"), 6, "{replies:?}");
        assert!(replies.iter().any(|reply| reply["createdNewUser"] == true));
        let link = replies.iter().find(|reply| reply["linkCode"].is_string());
        if let Some(link) = link {
            let body = json!({"preAuthSessionId": link["preAuthSessionId"], "linkCode": link["linkCode"]});
            assert_eq!(app.consumed(body).await, "RESTART_FLOW_ERROR");
        }
    }
    nothing_is_left(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_codes_that_are_made_at_once_none_is_lost_and_a_chosen_one_is_there_once() {
    let app = TestApp::new().await;
    let sent = app.send(json!({"email": "jane@x.io"})).await;
    let drawn = json!({"deviceId": sent.device()});
    let chosen = json!({"deviceId": sent.device(), "userInputCode": "chosen"});
    let requests = (0..12).map(|number: usize| if number.is_multiple_of(2) { drawn.clone() } else { chosen.clone() });
    let replies = at_once(&app, requests.map(|body| ("/recipe/signinup/code", body)).collect()).await;
    assert_eq!(count(&replies, "OK"), 7, "{replies:?}");
    assert_eq!(count(&replies, "USER_INPUT_CODE_ALREADY_USED_ERROR"), 5);
    let listed = app.get("/recipe/signinup/codes?email=jane@x.io").await.json();
    assert_eq!(listed["devices"][0]["codes"].as_array().unwrap().len(), 8);
}
