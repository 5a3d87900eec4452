//! Tokens of one address used, created and revoked at once, on real threads.

use super::{create, is_verified, revoke, verify};
use crate::app::TestApp;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::Barrier;

async fn fresh() -> TestApp {
    TestApp::new().await
}

/// Runs these at once; returns how many succeeded.
async fn yes<F: Future<Output = bool> + Send + 'static>(runs: Vec<F>) -> usize {
    let start = Arc::new(Barrier::new(runs.len()));
    let tasks: Vec<_> = runs
        .into_iter()
        .map(|run| {
            let start = Arc::clone(&start);
            tokio::spawn(async move {
                start.wait().await;
                run.await
            })
        })
        .collect();
    let mut count = 0;
    for task in tasks {
        count += usize::from(task.await.unwrap());
    }
    count
}

async fn used(app: TestApp, token: String) -> bool {
    verify(&app, &token).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_uses_of_one_token_one_wins() {
    for _ in 0..50 {
        let app = fresh().await;
        let token = create(&app, "u").await.unwrap();
        let uses = (0..16).map(|_| used(app.clone(), token.clone())).collect();
        assert_eq!(yes(uses).await, 1);
        assert!(is_verified(&app, "u").await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_tokens_of_one_address_used_at_once_one_wins() {
    for _ in 0..50 {
        let app = fresh().await;
        let mut uses = Vec::new();
        for _ in 0..16 {
            let token = create(&app, "u").await.unwrap();
            uses.push(used(app.clone(), token));
        }
        assert_eq!(yes(uses).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_made_beside_a_use_dies_with_it_or_is_not_made() {
    for _ in 0..200 {
        let app = fresh().await;
        let token = create(&app, "u").await.unwrap();
        let beside = {
            let app = app.clone();
            tokio::spawn(async move { create(&app, "u").await })
        };
        assert!(verify(&app, &token).await);
        if let Some(other) = beside.await.unwrap() {
            assert!(!verify(&app, &other).await, "created before the use, so it is used up");
        }
        assert!(is_verified(&app, "u").await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_of_the_tokens_made_at_once_is_good() {
    for used in 0..24 {
        let app = fresh().await;
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let app = app.clone();
                tokio::spawn(async move { create(&app, "u").await.unwrap() })
            })
            .collect();
        let mut tokens = Vec::new();
        for task in tasks {
            tokens.push(task.await.unwrap());
        }
        assert!(verify(&app, &tokens[used % 8]).await, "none of them ended the others' series");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revocation_beside_uses_leaves_no_token_that_works() {
    for _ in 0..50 {
        let app = fresh().await;
        let tokens = [create(&app, "u").await.unwrap(), create(&app, "u").await.unwrap()];
        let uses: Vec<_> = tokens.iter().map(|token| tokio::spawn(used(app.clone(), token.clone()))).collect();
        revoke(&app, "u").await;
        let mut won = 0;
        for task in uses {
            won += usize::from(task.await.unwrap());
        }
        assert!(won <= 1);
        assert_eq!(is_verified(&app, "u").await, won == 1);
        for token in &tokens {
            assert!(!verify(&app, token).await);
        }
    }
}
