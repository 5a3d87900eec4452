//! Many concurrent requests about one session, on real threads.

use super::driver::{Driver, Held, told};
use sessiond::command::session::refresh::Refreshed;
use sessiond::command::session::verify::Verified;
use sessiond::domain::session::RefreshPolicy::{PromoteOnUse, RotateOnRefresh};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_hundred_refreshes_of_one_session_are_all_answered() {
    for policy in [PromoteOnUse, RotateOnRefresh] {
        let driver = Arc::new(Driver::new().await);
        let held = driver.create("u").await;
        let tasks: Vec<_> = (0..300)
            .map(|_| {
                let (driver, token) = (Arc::clone(&driver), held.refresh.clone());
                tokio::spawn(async move { driver.refresh(policy, &token).await })
            })
            .collect();
        for task in tasks {
            let outcome = task.await.unwrap();
            assert_eq!(told(&outcome), "ok", "{policy:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_revoked_beside_refreshes_and_promotions_stays_revoked() {
    for _ in 0..50 {
        let driver = Arc::new(Driver::new().await);
        let held = driver.create("u").await;
        let child = driver.refreshed(PromoteOnUse, &held.refresh).await;
        let beside = [held.clone(), child].map(|held: Held| {
            let driver = Arc::clone(&driver);
            tokio::spawn(async move {
                driver.verify(PromoteOnUse, &held.access, true).await;
                driver.refresh(PromoteOnUse, &held.refresh).await;
            })
        });
        assert_eq!(driver.revoke(&[&held.handle]).await, std::slice::from_ref(&held.handle));
        for task in beside {
            task.await.unwrap();
        }
        assert!(driver.find(&held.handle).await.is_none());
        assert!(matches!(driver.verify(PromoteOnUse, &held.access, true).await, Verified::Unauthorised(_)));
        assert!(matches!(driver.refresh(PromoteOnUse, &held.refresh).await, Refreshed::Unauthorised { .. }));
        assert!(driver.list("u", None).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_revocations_at_once_one_reports_the_session() {
    let driver = Arc::new(Driver::new().await);
    let held = driver.create("u").await;
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (driver, handle) = (Arc::clone(&driver), held.handle.clone());
            tokio::spawn(async move { driver.revoke(&[&handle]).await.len() })
        })
        .collect();
    let mut reports = 0;
    for task in tasks {
        reports += task.await.unwrap();
    }
    assert_eq!(reports, 1);
}
