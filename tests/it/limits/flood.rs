//! Many requests at once.

use super::wire::Wire;
use super::{post, soon};
use crate::app::{TestApp, TestServer};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const FLOOD: usize = 1_000;

/// Client and server share this process: two file descriptors per connection.
#[cfg(unix)]
fn allow_many_connections() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("the hard limit is allowed");
}

#[cfg(not(unix))]
fn allow_many_connections() {}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_refreshes_of_different_sessions_at_once_all_succeed() {
    allow_many_connections();
    let app = TestApp::new().await;
    let mut tokens = Vec::new();
    for number in 0..FLOOD {
        tokens.push(app.session(&format!("user-{number}")).await.refresh_token());
    }
    let server = TestServer::start(&app).await;
    let mut wires = Vec::new();
    for _ in 0..FLOOD {
        wires.push(Wire::open(&server).await);
    }
    let mut running = JoinSet::new();
    for (mut wire, token) in wires.into_iter().zip(tokens) {
        running.spawn(async move {
            let body = json!({"refreshToken": token, "enableAntiCsrf": false, "useDynamicSigningKey": true});
            let started = Instant::now();
            wire.send(&post("/recipe/session/refresh", body.to_string().as_bytes())).await;
            let reply = soon(wire.reply()).await;
            let json: Value = serde_json::from_str(&reply.body).expect("a JSON reply");
            (reply.code, json["status"].as_str().map(str::to_owned), started.elapsed())
        });
    }
    let mut times: Vec<Duration> = Vec::new();
    while let Some(done) = running.join_next().await {
        let (code, status, took) = done.expect("no client panics");
        assert_eq!((code, status.as_deref()), (200, Some("OK")));
        times.push(took);
    }
    times.sort();
    println!("{FLOOD} refreshes at once: p50 {:?}, p99 {:?}", times[FLOOD / 2], times[FLOOD * 99 / 100]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_refreshes_of_one_session_at_once_each_gets_an_answer() {
    let app = TestApp::new().await;
    let created = app.session("u").await;
    let mut running = JoinSet::new();
    for _ in 0..100 {
        let (app, token) = (app.clone(), created.refresh_token());
        running.spawn(async move {
            let body = json!({"refreshToken": token, "enableAntiCsrf": false, "useDynamicSigningKey": true});
            app.post("/recipe/session/refresh", body).cdi("5.6").await.ok().refresh_token()
        });
    }
    let mut successors = Vec::new();
    while let Some(done) = running.join_next().await {
        successors.push(done.expect("every one is inside the grace period"));
    }
    // never two live lineages: one successor is current, all others are reuse
    let mut alive = 0;
    for token in successors {
        let body = json!({"refreshToken": token, "enableAntiCsrf": false, "useDynamicSigningKey": true});
        let reply = app.post("/recipe/session/refresh", body).cdi("5.6").await.json();
        alive += usize::from(reply["status"] == "OK");
    }
    assert!(alive <= 1, "{alive} successors were live");
}
