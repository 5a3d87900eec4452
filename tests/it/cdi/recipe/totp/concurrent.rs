//! Codes tried at the same time, on the engine that commits in groups.

use super::{code, device, invalid, verify, wrong};
use crate::app::TestApp;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Barrier;

/// Tries all of these at once; returns the replies.
async fn at_once(app: &TestApp, codes: Vec<String>) -> Vec<Value> {
    let start = Arc::new(Barrier::new(codes.len()));
    let tries: Vec<_> = codes
        .into_iter()
        .map(|code| {
            let (app, start) = (app.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                verify(&app, "u", &code).await.json()
            })
        })
        .collect();
    let mut answers = Vec::new();
    for one in tries {
        answers.push(one.await.unwrap());
    }
    answers
}

fn count(answers: &[Value], status: &str) -> usize {
    answers.iter().filter(|answer| answer["status"] == status).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_use_one_code_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::builder().on_disk(folder.path()).setting("totp_max_attempts", "100").build().await;
    let secret = device(&app, "u", "a").await;
    for _ in 0..10 {
        app.clock.advance(90_000);
        let answers = at_once(&app, vec![code(&app, &secret, 0); 16]).await;
        assert_eq!((count(&answers, "OK"), count(&answers, "INVALID_TOTP_ERROR")), (1, 15));
        let mut failures: Vec<_> = answers.iter().filter_map(|a| a["currentNumberOfFailedAttempts"].as_u64()).collect();
        failures.sort_unstable();
        let won_after = failures.iter().rev().find(|count| failures.iter().filter(|one| one == count).count() == 1);
        assert!(won_after.is_some(), "every wrong one is counted: {failures:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_wrong_codes_at_once_are_counted_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::builder().on_disk(folder.path()).build().await;
    let secret = device(&app, "u", "a").await;
    for _ in 0..5 {
        app.clock.advance(900_000);
        let answers = at_once(&app, vec![wrong(&app, &secret); 32]).await;
        assert_eq!((count(&answers, "INVALID_TOTP_ERROR"), count(&answers, "LIMIT_REACHED_ERROR")), (5, 27));
        for failures in 1..=5 {
            assert!(answers.contains(&invalid(failures, 5)), "{failures}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_device_is_made_of_many_requests_for_one_name() {
    let app = TestApp::new().await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let app = app.clone();
            let body = json!({"userId": "u", "deviceName": "a", "skew": 1, "period": 30, "secretKey": "MZXW6YTB"});
            tokio::spawn(async move { app.post("/recipe/totp/device/import", body).await.json() })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    assert_eq!((count(&answers, "OK"), count(&answers, "DEVICE_ALREADY_EXISTS_ERROR")), (1, 15));
    assert_eq!(super::devices(&app, "u").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_removal_beside_attempts_leaves_nothing() {
    for round in 0..30 {
        let app = TestApp::builder().seed(round).build().await;
        let secret = device(&app, "u", "a").await;
        app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
        let bad = wrong(&app, &secret);
        let tries: Vec<_> = ["", "/t1"]
            .map(|tenant| {
                let (app, bad) = (app.clone(), bad.clone());
                tokio::spawn(async move { super::verify_in(&app, tenant, "u", &bad).await.json() })
            })
            .into();
        app.post("/recipe/totp/device/remove", json!({"userId": "u", "deviceName": "a"})).await.ok();
        for one in tries {
            let status = one.await.unwrap()["status"].clone();
            assert!(status == "INVALID_TOTP_ERROR" || status == "UNKNOWN_USER_ID_ERROR", "{status}");
        }
        assert_eq!(super::kept::rows(&app).await, [0; 3]);
    }
}
