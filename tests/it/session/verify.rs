//! Verify touches the store only when it must.

use super::driver::Driver;
use crate::app::TestApp;
use crate::watched::Watched;
use sessiond::command::session::verify::Verified;
use sessiond::domain::ids::TenantId;
use sessiond::domain::session::RefreshPolicy::{PromoteOnUse, RotateOnRefresh};
use std::sync::Arc;

async fn counted() -> (Driver, Watched) {
    let engine = Watched::default();
    (Driver::with(TestApp::builder().store(Arc::new(engine.clone()))).await, engine)
}

#[tokio::test]
async fn without_a_look_and_without_a_parent_the_store_is_not_asked() {
    let (driver, engine) = counted().await;
    let held = driver.create("u").await;
    let before = engine.begun.get();
    for policy in [PromoteOnUse, RotateOnRefresh] {
        for _ in 0..3 {
            assert!(matches!(driver.verify(policy, &held.access, false).await, Verified::Ok { .. }));
        }
    }
    assert_eq!(engine.begun.get(), before);
    driver.verify(PromoteOnUse, &held.access, true).await;
    assert_eq!(engine.begun.get(), before + 1, "one check is one transaction");
}

#[tokio::test]
async fn the_stateless_machine_never_asks_without_a_look_even_for_an_unused_child() {
    let (driver, engine) = counted().await;
    let held = driver.create("u").await;
    let child = driver.refreshed(PromoteOnUse, &held.refresh).await;
    let before = engine.begun.get();
    assert!(matches!(driver.verify(RotateOnRefresh, &child.access, false).await, Verified::Ok { .. }));
    assert_eq!(engine.begun.get(), before);
}

#[tokio::test]
async fn a_refresh_is_one_transaction() {
    let (driver, engine) = counted().await;
    let held = driver.create("u").await;
    for policy in [PromoteOnUse, RotateOnRefresh] {
        let before = engine.begun.get();
        driver.refreshed(policy, &held.refresh).await;
        assert_eq!(engine.begun.get(), before + 1);
    }
}

#[tokio::test]
async fn anti_csrf_is_checked_when_enabled_and_asked_for() {
    let driver = Driver::new().await;
    let mut create = driver.creating("u", TenantId::public());
    create.options.enable_anti_csrf = true;
    let sessiond::command::session::create::Created::Ok(with) = create.run(&driver.app.context).await.unwrap() else {
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
        match verify.run(&driver.app.context).await.unwrap() {
            Verified::Ok { .. } => assert!(good, "{enabled} {check} {presented:?}"),
            Verified::TryRefreshToken("anti-csrf check failed") => assert!(!good, "{enabled} {check} {presented:?}"),
            _ => panic!("something else"),
        }
    }
}
