//! Listing and revoking.

use super::driver::{Driver, told};
use sessiond::domain::ids::TenantId;
use sessiond::domain::session::RefreshPolicy::PromoteOnUse;

#[tokio::test]
async fn only_existing_handles_are_revoked_and_each_once() {
    let driver = Driver::new().await;
    let [a, b] = [driver.create("u").await, driver.create("u").await];
    let unknown = "00000000-0000-4000-8000-000000000000";
    let gone = driver.revoke(&[&a.handle, unknown, "nonsense", "", &b.handle, &a.handle]).await;
    assert_eq!(gone, [a.handle.clone(), b.handle]);
    assert!(driver.revoke(&[&a.handle]).await.is_empty());
    let outcome = driver.refresh(PromoteOnUse, &a.refresh).await;
    assert_eq!(told(&outcome), "unauthorised: Session missing in db or has expired None");
}

#[tokio::test]
async fn sessions_of_a_user_are_listed_and_revoked_by_tenant_or_in_all() {
    let driver = Driver::new().await;
    let (t1, t2) = (driver.tenant("t1").await, driver.tenant("t2").await);
    let public = driver.create("u").await.handle;
    let in_t1 = driver.create_in("u", t1.clone()).await.handle;
    let in_t2 = driver.create_in("u", t2.clone()).await.handle;
    let others = driver.create("u2").await.handle;
    assert!(in_t1.ends_with("_t1"));

    let mut all = vec![public.clone(), in_t1.clone(), in_t2.clone()];
    all.sort();
    assert_eq!(driver.list("u", None).await, all);
    assert_eq!(driver.list("u", Some(t1.clone())).await, std::slice::from_ref(&in_t1));
    assert_eq!(driver.list("u", Some(TenantId::public())).await, std::slice::from_ref(&public));
    assert!(driver.list("nobody", None).await.is_empty());

    assert_eq!(driver.revoke_user("u", Some(t1)).await, [in_t1]);
    let mut rest = vec![public, in_t2];
    rest.sort();
    assert_eq!(driver.revoke_user("u", None).await, rest);
    assert!(driver.list("u", None).await.is_empty());
    assert_eq!(driver.list("u2", None).await, [others]);
    assert!(driver.revoke_user("nobody", None).await.is_empty());
}

#[tokio::test]
async fn a_user_with_many_sessions_is_listed_and_revoked_whole() {
    let driver = Driver::new().await;
    let mut all = Vec::new();
    for _ in 0..300 {
        all.push(driver.create("u").await.handle);
    }
    all.sort();
    assert_eq!(driver.list("u", None).await, all);
    assert_eq!(driver.revoke_user("u", None).await, all);
    assert!(driver.list("u", None).await.is_empty());
}

#[tokio::test]
async fn a_prefix_of_a_user_id_is_another_user() {
    let driver = Driver::new().await;
    let long = "x".repeat(300);
    driver.create("user").await;
    driver.create(&long).await;
    for other in ["use", "user2", "", &long[..299], &format!("{long}x")] {
        assert!(driver.list(other, None).await.is_empty(), "{other}");
    }
}
