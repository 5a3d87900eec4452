//! What is stored, and what is deleted with time, users and tenants.

use super::Sent;
use crate::app::TestApp;
use crate::people::{by_phone, within};
use crate::store::assert_holds_none_of;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use sessiond::jobs::passwordless_devices::PasswordlessDevices;
use sessiond::jobs::walk::Walk;
use sessiond::store::passwordless::check;
use sessiond::store::{Key, Keyspace, Scan};

/// The numbers of rows: devices, and each of their three indexes.
async fn rows(app: &TestApp) -> [usize; 4] {
    let mut counts = [0; 4];
    let keyspaces = [
        Keyspace::PasswordlessDevice,
        Keyspace::PasswordlessDeviceByContact,
        Keyspace::PasswordlessCode,
        Keyspace::PasswordlessLinkCode,
    ];
    for (count, keyspace) in counts.iter_mut().zip(keyspaces) {
        *count = app.rows(keyspace).await;
    }
    counts
}

/// A device with two codes.
async fn device(app: &TestApp, email: &str) -> Sent {
    let sent = app.send(json!({"email": email})).await;
    app.send(json!({"deviceId": sent.device()})).await;
    sent
}

#[tokio::test]
async fn neither_devices_nor_codes_are_stored_as_they_are() {
    let app = TestApp::new().await;
    let sent = app.send(json!({"email": "jane@x.io", "userInputCode": "correct horse"})).await;
    let link = sent.0["linkCode"].as_str().unwrap();
    let secrets = [
        b"correct horse".to_vec(),
        sent.device().as_bytes().to_vec(),
        STANDARD.decode(sent.device()).unwrap(),
        link.as_bytes().to_vec(),
        URL_SAFE_NO_PAD.decode(link).unwrap(),
    ];
    let secrets: Vec<_> = secrets.iter().map(Vec::as_slice).collect();
    assert_holds_none_of(&*app.context.store, &secrets).await;
}

#[tokio::test]
async fn a_used_code_ends_every_device_of_the_contact_and_of_the_owners_other_one() {
    let app = TestApp::new().await;
    let first = app.send(json!({"email": "jane@x.io"})).await;
    let id = app.consume(first.link()).await.ok().text_at("/recipeUserId");
    let body = json!({"recipeUserId": id, "phoneNumber": "+493012345"});
    app.put("/recipe/user", body).header("rid", "passwordless").await.ok();

    let by_phone = app.send(json!({"phoneNumber": "+493012345"})).await;
    device(&app, "jane@x.io").await;
    let used = device(&app, "jane@x.io").await;
    let other = device(&app, "joe@x.io").await;
    assert_eq!(rows(&app).await, [4, 4, 7, 7]);
    app.consume(used.link()).await.ok();
    assert_eq!(rows(&app).await, [1, 1, 2, 2]);
    assert_eq!(app.consumed(by_phone.link()).await, "RESTART_FLOW_ERROR");
    app.consume(other.link()).await.ok();
    assert_eq!(rows(&app).await, [0; 4]);
}

#[tokio::test]
async fn many_devices_of_a_contact_end_in_steps() {
    let app = TestApp::new().await;
    let mut last = app.send(json!({"email": "jane@x.io"})).await;
    for _ in 0..520 {
        last = app.send(json!({"email": "jane@x.io"})).await;
    }
    assert_eq!(rows(&app).await, [521; 4]);
    let reply = app.consume(last.link()).await.ok().json();
    assert_eq!(reply["createdNewUser"], true);
    assert_eq!(rows(&app).await, [0; 4]);
    for _ in 0..300 {
        app.send(json!({"email": "jane@x.io"})).await;
    }
    app.post("/recipe/signinup/codes/remove", json!({"email": "jane@x.io"})).await.ok();
    assert_eq!(rows(&app).await, [0; 4]);
}

#[tokio::test]
async fn devices_go_with_a_deleted_user_and_with_a_changed_contact() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app.people([within(["public", "t1"], by_phone("p", 1, "+493012345"))]).await;
    let send = async |number: &str| {
        app.send(json!({"phoneNumber": number})).await;
        app.post("/t1/recipe/signinup/code", json!({"phoneNumber": number})).await.ok();
    };
    send("+493012345").await;
    send("+493099999").await;
    send("+493088888").await;
    let body = json!({"recipeUserId": "p", "phoneNumber": "+493099999"});
    app.put("/recipe/user", body).header("rid", "passwordless").await.ok();
    assert_eq!(rows(&app).await, [2; 4], "neither who has the old number nor who had the new one gets in");
    send("+493099999").await;
    app.post("/user/remove", json!({"userId": "p"})).await.ok();
    assert_eq!(rows(&app).await, [2; 4]);
}

#[tokio::test]
async fn devices_go_with_their_tenant_and_with_their_app() {
    let app = TestApp::new().await;
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1"})).await.ok();
    app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    device(&app, "jane@x.io").await;
    for prefix in ["/t1", "/appid-a1"] {
        app.post(&format!("{prefix}/recipe/signinup/code"), json!({"email": "jane@x.io"})).await.ok();
    }
    assert_eq!(rows(&app).await, [3, 3, 4, 4]);
    app.post("/recipe/multitenancy/tenant/remove", json!({"tenantId": "t1"})).await.ok();
    app.post("/recipe/multitenancy/app/remove", json!({"appId": "a1"})).await.ok();
    assert_eq!(rows(&app).await, [1, 1, 2, 2]);
}

async fn walk(app: &TestApp) -> u64 {
    let mut walk = Walk::<PasswordlessDevices>::new();
    while walk.step(&app.context, app.context.clock.reading()).await.unwrap() {}
    walk.deleted()
}

#[tokio::test]
async fn unfinished_sign_ins_go_when_all_their_codes_are_over_and_not_before() {
    let app = TestApp::new().await;
    let config = json!({"tenantId": "t1", "coreConfig": {"passwordless_code_lifetime": 10_000}});
    app.put("/recipe/multitenancy/tenant/v2", config).await.ok();
    for number in 0..150 {
        app.send(json!({"email": format!("{number}@x.io")})).await;
        app.post("/t1/recipe/signinup/code", json!({"email": "jane@x.io"})).await.ok();
    }
    app.clock.advance(10_000);
    assert_eq!(walk(&app).await, 0, "they are valid until their last moment");
    app.clock.advance(1);
    assert_eq!(walk(&app).await, 150, "each tenant has its own rules");
    let kept = app.send(json!({"email": "joe@x.io"})).await;
    app.clock.advance(890_000);
    app.send(json!({"deviceId": kept.device()})).await;
    assert_eq!(walk(&app).await, 150);
    app.clock.advance(10_001);
    assert_eq!(walk(&app).await, 0, "its second code is valid");
    assert_eq!(rows(&app).await, [1, 1, 2, 2]);
    app.clock.advance(900_000);
    assert_eq!(walk(&app).await, 1);
    assert_eq!(rows(&app).await, [0; 4]);
}

#[tokio::test]
async fn broken_references_are_found() {
    let app = TestApp::new().await;
    device(&app, "jane@x.io").await;
    let found = check(&*app.context.store).await.unwrap();
    assert_eq!((found.rows, found.index_keys, found.broken), (1, 5, 0), "{found:?}");
    for (keyspace, broken) in [(Keyspace::PasswordlessLinkCode, 1), (Keyspace::PasswordlessDevice, 4)] {
        let start = Key::of(keyspace);
        let scan = Scan { end: start.prefix_end(), start, reverse: false, limit: 1 };
        let mut tx = app.context.store.begin();
        let (key, _) = tx.scan(&scan).await.unwrap().remove(0);
        tx.delete(key);
        tx.commit().await.unwrap();
        assert_eq!(check(&*app.context.store).await.unwrap().broken, broken);
    }
}
