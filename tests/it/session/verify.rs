//! Verify touches the store only when it must.

use super::driver::Driver;
use crate::app::TestApp;
use async_trait::async_trait;
use sessiond::command::session::verify::Verified;
use sessiond::domain::ids::TenantId;
use sessiond::domain::session::RefreshPolicy::{PromoteOnUse, RotateOnRefresh};
use sessiond::store::memory::MemoryEngine;
use sessiond::store::{Encoding, Engine, EngineStats, StoreError, Tx};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts transactions.
struct Counting {
    engine: MemoryEngine,
    begun: Arc<AtomicU64>,
}

#[async_trait]
impl Engine for Counting {
    fn begin(&self) -> Box<dyn Tx> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.engine.begin()
    }

    fn encoding(&self) -> Encoding {
        self.engine.encoding()
    }

    fn stats(&self) -> EngineStats {
        self.engine.stats()
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.engine.close().await
    }
}

async fn counted() -> (Driver, Arc<AtomicU64>) {
    let begun = Arc::new(AtomicU64::new(0));
    let store = Counting { engine: MemoryEngine::new(), begun: Arc::clone(&begun) };
    (Driver::with(TestApp::builder().store(Arc::new(store))).await, begun)
}

#[tokio::test]
async fn without_a_look_and_without_a_parent_the_store_is_not_asked() {
    let (driver, begun) = counted().await;
    let held = driver.create("u").await;
    let before = begun.load(Ordering::SeqCst);
    for policy in [PromoteOnUse, RotateOnRefresh] {
        for _ in 0..3 {
            assert!(matches!(driver.verify(policy, &held.access, false).await, Verified::Ok { .. }));
        }
    }
    assert_eq!(begun.load(Ordering::SeqCst), before);
    driver.verify(PromoteOnUse, &held.access, true).await;
    assert_eq!(begun.load(Ordering::SeqCst), before + 1, "one look is one transaction");
}

#[tokio::test]
async fn the_stateless_machine_never_asks_without_a_look_even_for_an_unused_child() {
    let (driver, begun) = counted().await;
    let held = driver.create("u").await;
    let child = driver.refreshed(PromoteOnUse, &held.refresh).await;
    let before = begun.load(Ordering::SeqCst);
    assert!(matches!(driver.verify(RotateOnRefresh, &child.access, false).await, Verified::Ok { .. }));
    assert_eq!(begun.load(Ordering::SeqCst), before);
}

#[tokio::test]
async fn a_refresh_is_one_transaction() {
    let (driver, begun) = counted().await;
    let held = driver.create("u").await;
    for policy in [PromoteOnUse, RotateOnRefresh] {
        let before = begun.load(Ordering::SeqCst);
        driver.refreshed(policy, &held.refresh).await;
        assert_eq!(begun.load(Ordering::SeqCst), before + 1);
    }
}

#[tokio::test]
async fn anti_csrf_is_checked_when_enabled_and_asked_for() {
    let driver = Driver::new().await;
    let mut create = driver.creating("u", TenantId::public());
    create.enable_anti_csrf = true;
    let sessiond::command::session::create::Created::Ok(with) = create.run(&driver.app.app).await.unwrap() else {
        panic!()
    };
    let demanded = with.anti_csrf_token.clone().unwrap();
    let without = driver.create("u").await;
    let with = with.access_token.token.expose().as_str();
    let cases = [
        (with, true, true, Some(demanded.as_str()), true),
        (with, true, true, Some("wrong"), false),
        (with, true, true, None, false),
        (with, true, false, None, true),
        (with, false, true, None, true),
        (without.access.as_str(), true, true, Some("any"), false),
        (without.access.as_str(), false, true, None, true),
    ];
    for (token, enabled, check, presented, good) in cases {
        let mut verify = driver.verifying(PromoteOnUse, token, false);
        verify.enable_anti_csrf = enabled;
        verify.do_anti_csrf_check = check;
        verify.anti_csrf_token = presented;
        match verify.run(&driver.app.app).await.unwrap() {
            Verified::Ok { .. } => assert!(good, "{enabled} {check} {presented:?}"),
            Verified::TryRefreshToken("anti-csrf check failed") => assert!(!good, "{enabled} {check} {presented:?}"),
            _ => panic!("something else"),
        }
    }
}
