//! What is stored, and what is deleted with time, devices, users and tenants.

use super::{add, code, device, devices, invalid, limit_reached, verify, verify_in, wrong};
use crate::app::TestApp;
use crate::people::{by_password, mapped, within};
use crate::store::assert_holds_none_of;
use serde_json::json;
use sessiond::domain::totp::TotpSecret;
use sessiond::jobs::totp_attempts::TotpAttempts;
use sessiond::jobs::walk::Walk;
use sessiond::store::Keyspace;

/// Rows of devices, of attempts, and of their index.
pub(super) async fn rows(app: &TestApp) -> [usize; 3] {
    [
        app.rows(Keyspace::TotpDevices).await,
        app.rows(Keyspace::TotpAttempts).await,
        app.rows(Keyspace::TotpAttemptsByUser).await,
    ]
}

async fn walk(app: &TestApp) -> u64 {
    let mut walk = Walk::<TotpAttempts>::new();
    while walk.step(&app.context, app.context.clock.reading()).await.unwrap() {}
    walk.deleted()
}

async fn two_tenants() -> TestApp {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app
}

#[tokio::test]
async fn no_secret_is_stored_as_it_is() {
    let app = TestApp::new().await;
    let secret = device(&app, "u", "a").await;
    let plain = TotpSecret::from_base32(&secret).unwrap();
    assert_holds_none_of(&*app.context.store, &[plain.expose().as_slice(), secret.as_bytes()]).await;
}

#[tokio::test]
async fn a_secret_opens_after_a_restart_and_for_its_user_alone() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::builder().on_disk(folder.path()).build().await;
    let secret = device(&app, "u", "a").await;
    let again = TestApp::builder().store(app.context.store.clone()).build().await;
    again.clock.advance(300_000);
    verify(&again, "u", &code(&again, &secret, 0)).await.ok();
    // Moving a row to another user gains nothing.
    let place = |user: &str| {
        sessiond::store::totp::devices_key(
            &sessiond::domain::ids::AppId::base(),
            &sessiond::domain::ids::UserId::new(user),
        )
    };
    let mut tx = again.context.store.begin();
    let record: sessiond::store::totp::TotpDevicesRecord =
        sessiond::store::codec::get(tx.as_mut(), &place("u")).await.unwrap().unwrap();
    sessiond::store::codec::put(tx.as_mut(), place("thief"), &record).unwrap();
    tx.commit().await.unwrap();
    assert_eq!(verify(&again, "thief", &code(&again, &secret, 1)).await.code(), 500);
}

#[tokio::test]
async fn neither_used_codes_nor_wrong_ones_are_forgotten_by_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::builder().on_disk(folder.path()).build().await;
    let secret = device(&app, "u", "a").await;
    let closed = device(&app, "closed", "a").await;
    let (used, bad) = (code(&app, &secret, 1), wrong(&app, &closed));
    verify(&app, "u", &used).await.ok();
    for _ in 0..5 {
        verify(&app, "closed", &bad).await;
    }
    app.context.store.close().await.unwrap();
    drop(app);
    let again = TestApp::builder().on_disk(folder.path()).build().await;
    assert_eq!(verify(&again, "u", &used).await.json(), invalid(1, 5));
    assert_eq!(verify(&again, "closed", &code(&again, &closed, 1)).await.json(), limit_reached(5, 900_000));
    again.context.store.close().await.unwrap();
}

#[tokio::test]
async fn attempts_that_count_no_more_are_deleted_and_no_others() {
    let app = two_tenants().await;
    let secret = device(&app, "u", "a").await;
    verify_in(&app, "/t1", "u", &wrong(&app, &secret)).await;
    assert_eq!(rows(&app).await, [1, 2, 2]);
    app.clock.advance(89_999);
    assert_eq!(walk(&app).await, 0);
    app.clock.advance(1);
    assert_eq!((walk(&app).await, rows(&app).await), (1, [1, 1, 1]), "a code was used up for 90 s");
    app.clock.advance(809_999);
    assert_eq!(walk(&app).await, 0);
    app.clock.advance(1);
    assert_eq!((walk(&app).await, rows(&app).await), (1, [1, 0, 0]), "a wrong one counted for 900 s");
    verify(&app, "u", &code(&app, &secret, 0)).await.ok();
}

#[tokio::test]
async fn with_the_last_device_the_attempts_are_forgotten_and_not_before() {
    let app = two_tenants().await;
    let secret = device(&app, "u", "a").await;
    add(&app, "u", Some("b")).await.ok();
    for tenant in ["", "/t1"] {
        for _ in 0..5 {
            verify_in(&app, tenant, "u", &wrong(&app, &secret)).await;
        }
    }
    let remove = async |name| {
        app.post("/recipe/totp/device/remove", json!({"userId": "u", "deviceName": name})).await.ok();
    };
    remove("a").await;
    assert_eq!(verify_in(&app, "/t1", "u", "123456").await.json(), limit_reached(5, 900_000));
    remove("b").await;
    assert_eq!(rows(&app).await, [0, 0, 0]);
}

#[tokio::test]
async fn a_tenant_takes_its_attempts_along() {
    let app = two_tenants().await;
    let secret = device(&app, "u", "a").await;
    let long = "x".repeat(300);
    let secret_of_long = device(&app, &long, "a").await;
    verify_in(&app, "/t1", "u", &wrong(&app, &secret)).await;
    verify_in(&app, "/t1", &long, &wrong(&app, &secret_of_long)).await;
    assert_eq!(rows(&app).await, [2, 4, 4]);
    app.post("/recipe/multitenancy/tenant/remove", json!({"tenantId": "t1"})).await.ok();
    assert_eq!(rows(&app).await, [2, 2, 2]);
}

#[tokio::test]
async fn who_leaves_a_tenant_leaves_attempts_but_no_device() {
    let app = two_tenants().await;
    app.people([within(["public", "t1"], mapped("mine", by_password("a", 1, "a@x.io")))]).await;
    let secret = device(&app, "mine", "a").await;
    verify_in(&app, "/t1", "mine", &wrong(&app, &secret)).await;
    app.post("/t1/recipe/multitenancy/tenant/user/remove", json!({"recipeUserId": "a"})).await.ok();
    assert_eq!(rows(&app).await, [1, 1, 1]);
    app.clock.advance(90_000);
    verify(&app, "mine", &code(&app, &secret, 0)).await.ok();
}

#[tokio::test]
async fn an_id_with_a_device_is_in_use() {
    let app = TestApp::new().await;
    app.people([by_password("a", 1, "a@x.io"), mapped("mine", by_password("b", 2, "b@x.io"))]).await;
    for id in ["a", "mine"] {
        add(&app, id, None).await.ok();
    }
    let map = json!({"superTokensUserId": "a", "externalUserId": "other"});
    app.post("/recipe/userid/map", map).await.is_text(400, "UserId is already in use in TOTP recipe");
    let unmap = json!({"userId": "mine", "userIdType": "EXTERNAL"});
    app.post("/recipe/userid/map/remove", unmap).await.is_text(400, "UserId is already in use in TOTP recipe");
    assert_eq!(devices(&app, "b").await, [], "devices are found under the id they came with");
}
