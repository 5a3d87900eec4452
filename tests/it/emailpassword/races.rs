//! Concurrent requests.

use crate::app::TestApp;
use crate::people::with_cheap_passwords;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// Sends them all at once; the replies' statuses in any order.
async fn at_once(app: &TestApp, requests: Vec<(&'static str, &'static str, Value)>) -> Vec<String> {
    let start = Arc::new(Barrier::new(requests.len()));
    let mut running = JoinSet::new();
    for (method, path, body) in requests {
        let (app, start) = (app.clone(), Arc::clone(&start));
        running.spawn(async move {
            start.wait().await;
            let reply = if method == "PUT" { app.put(path, body).await } else { app.post(path, body).await };
            reply.text_at("/status")
        });
    }
    running.join_all().await
}

fn count(statuses: &[String], status: &str) -> usize {
    statuses.iter().filter(|one| *one == status).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sign_ups_with_one_address_one_wins() {
    let app = with_cheap_passwords().build().await;
    for round in 0..10 {
        let body = |number: usize| json!({"email": format!("{round}@x.io"), "password": format!("password {number}")});
        let statuses = at_once(&app, (0..16).map(|number| ("POST", "/recipe/signup", body(number))).collect()).await;
        assert_eq!(count(&statuses, "OK"), 1, "{statuses:?}");
        assert_eq!(count(&statuses, "EMAIL_ALREADY_EXISTS_ERROR"), 15, "{statuses:?}");
        let signed_in = at_once(&app, (0..16).map(|number| ("POST", "/recipe/signin", body(number))).collect()).await;
        assert_eq!(count(&signed_in, "OK"), 1, "the winner's password alone is good: {signed_in:?}");
    }
    assert_eq!(app.get("/users/count").await.json()["count"], 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_changes_to_one_address_and_sign_ups_with_it_one_wins() {
    let app = with_cheap_passwords().build().await;
    for round in 0..10 {
        let email = format!("wanted-{round}@x.io");
        let mut requests = Vec::new();
        for number in 0..6 {
            let id = app.sign_up(&format!("{round}-{number}@x.io"), "password").await;
            requests.push(("PUT", "/recipe/user", json!({"recipeUserId": id, "email": email})));
            requests.push(("POST", "/recipe/signup", json!({"email": email, "password": "password"})));
        }
        let statuses = at_once(&app, requests).await;
        assert_eq!(count(&statuses, "OK"), 1, "{statuses:?}");
        assert_eq!(count(&statuses, "EMAIL_ALREADY_EXISTS_ERROR"), 11, "{statuses:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_persons_tokens_consumed_at_once_one_is_good() {
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("jane@x.io", "password").await;
    for path in ["/recipe/user/password/reset/token/consume", "/recipe/user/password/reset"] {
        for _ in 0..10 {
            let mut requests = Vec::new();
            for _ in 0..4 {
                let create = app.post("/recipe/user/password/reset/token", json!({"userId": id, "email": "e"})).await;
                let token = create.ok().text_at("/token");
                let body = json!({"method": "token", "token": token, "newPassword": "new"});
                requests.extend([("POST", path, body.clone()), ("POST", path, body)]);
            }
            let statuses = at_once(&app, requests).await;
            assert_eq!(count(&statuses, "OK"), 1, "{statuses:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_changes_of_one_login_none_is_lost() {
    let app = with_cheap_passwords().build().await;
    let id = app.sign_up("0@x.io", "password 0").await;
    for round in 1..=10 {
        let (email, password) = (format!("{round}@x.io"), format!("password {round}"));
        let requests = vec![
            ("PUT", "/recipe/user", json!({"recipeUserId": id, "email": email})),
            ("PUT", "/recipe/user", json!({"recipeUserId": id, "password": password})),
        ];
        assert_eq!(count(&at_once(&app, requests).await, "OK"), 2);
        assert_eq!(app.sign_in(&email, &password).await, "OK", "{round}");
    }
}
