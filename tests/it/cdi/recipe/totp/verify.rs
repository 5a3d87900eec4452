//! `/recipe/totp/verify` and `/recipe/totp/device/verify`.

use super::{add, code, device, devices, invalid, limit_reached, verify, verify_device, verify_in, wrong};
use crate::app::TestApp;
use serde_json::json;

#[tokio::test]
async fn codes_of_neighbouring_steps_are_taken_once_each() {
    let app = TestApp::new().await;
    let secret = add(&app, "u", Some("a")).await.ok().text_at("/secret");
    verify_device(&app, "u", "a", &code(&app, &secret, 0)).await.ok();
    for steps in [-1, 1] {
        let shown = code(&app, &secret, steps);
        assert_eq!(verify(&app, "u", &shown).await.json(), json!({"status": "OK"}));
        assert_eq!(verify(&app, "u", &shown).await.json(), invalid(1, 5), "it is used up");
    }
    for (failures, steps) in [(2, -2), (3, 2)] {
        assert_eq!(verify(&app, "u", &code(&app, &secret, steps)).await.json(), invalid(failures, 5));
    }
}

#[tokio::test]
async fn any_verified_device_counts_and_no_other() {
    let app = TestApp::new().await;
    let first = device(&app, "u", "a").await;
    let second = device(&app, "u", "b").await;
    let unverified = add(&app, "u", Some("c")).await.ok().text_at("/secret");
    assert_eq!(verify(&app, "u", &code(&app, &unverified, 0)).await.json(), invalid(1, 5));
    verify(&app, "u", &code(&app, &second, 1)).await.ok();
    verify(&app, "u", &code(&app, &first, 1)).await.ok();
    let new = add(&app, "new", Some("a")).await.ok().text_at("/secret");
    assert_eq!(verify(&app, "new", &code(&app, &new, 0)).await.json(), invalid(1, 5), "it was never verified");
}

#[tokio::test]
async fn a_device_is_verified_once_with_its_own_code() {
    let app = TestApp::new().await;
    let other = device(&app, "u", "a").await;
    let secret = add(&app, "u", Some("b")).await.ok().text_at("/secret");
    assert_eq!(verify_device(&app, "u", "b", &code(&app, &other, 1)).await.json(), invalid(1, 5));
    assert_eq!(devices(&app, "u").await[1], ("b".to_owned(), false));
    let now = code(&app, &secret, 0);
    let reply = verify_device(&app, "u", "b", &now).await.json();
    assert_eq!(reply, json!({"status": "OK", "wasAlreadyVerified": false}));
    assert_eq!(verify(&app, "u", &now).await.json(), invalid(1, 5), "it is used up");
    for code in [now.as_str(), "", "nothing"] {
        let reply = verify_device(&app, "u", "b", code).await.json();
        assert_eq!(reply, json!({"status": "OK", "wasAlreadyVerified": true}));
    }
    for (user, name) in [("u", "c"), ("nobody", "b")] {
        assert_eq!(verify_device(&app, user, name, &now).await.json(), json!({"status": "UNKNOWN_DEVICE_ERROR"}));
    }
}

#[tokio::test]
async fn five_wrong_codes_close_for_a_quarter_of_an_hour() {
    let app = TestApp::new().await;
    let secret = device(&app, "u", "a").await;
    for failures in 1..=5 {
        app.clock.advance(1000);
        assert_eq!(verify(&app, "u", &wrong(&app, &secret)).await.json(), invalid(failures, 5));
    }
    assert_eq!(verify(&app, "u", &code(&app, &secret, 1)).await.json(), limit_reached(5, 900_000));
    app.clock.advance(400_000);
    assert_eq!(verify(&app, "u", &wrong(&app, &secret)).await.json(), limit_reached(5, 500_000));
    let new = add(&app, "u", Some("b")).await.ok().text_at("/secret");
    assert_eq!(verify_device(&app, "u", "b", &code(&app, &new, 0)).await.json(), limit_reached(5, 500_000));
    app.clock.advance(499_999);
    assert_eq!(verify(&app, "u", &code(&app, &secret, 0)).await.json(), limit_reached(5, 1));
    app.clock.advance(1);
    assert_eq!(verify(&app, "u", &wrong(&app, &secret)).await.json(), invalid(1, 5), "the count starts again");
    verify(&app, "u", &code(&app, &secret, 0)).await.ok();
    assert_eq!(verify(&app, "u", &wrong(&app, &secret)).await.json(), invalid(1, 5), "a right one ends the row");
}

#[tokio::test]
async fn limits_are_the_tenants_own_and_so_are_counts_and_used_codes() {
    let app = TestApp::builder().setting("totp_max_attempts", "3").build().await;
    let own = json!({"totp_max_attempts": 2, "totp_rate_limit_cooldown_sec": 10});
    app.put("/recipe/multitenancy/tenant/v2", json!({"tenantId": "t1", "coreConfig": own})).await.ok();
    let secret = device(&app, "u", "a").await;
    let bad = wrong(&app, &secret);
    for failures in 1..=2 {
        assert_eq!(verify_in(&app, "/t1", "u", &bad).await.json(), invalid(failures, 2));
    }
    assert_eq!(verify_in(&app, "/t1", "u", &bad).await.json(), limit_reached(2, 10_000));
    assert_eq!(verify(&app, "u", &bad).await.json(), invalid(1, 3));
    let now = code(&app, &secret, 1);
    verify(&app, "u", &now).await.ok();
    app.clock.advance(10_000);
    verify_in(&app, "/t1", "u", &now).await.ok();
    let nowhere = verify_in(&app, "/t2", "u", &now).await;
    assert_eq!(nowhere.code(), 400, "{}", nowhere.body());
}

#[tokio::test]
async fn text_that_is_no_code_is_wrong_and_a_long_one_leaves_no_trace() {
    let app = TestApp::new().await;
    let secret = device(&app, "u", "a").await;
    let now = code(&app, &secret, 1);
    for (failures, text) in [(1, String::new()), (2, format!(" {now}")), (3, format!("00{now}"))] {
        assert_eq!(verify(&app, "u", &text).await.json(), invalid(failures, 5), "{text}");
    }
    for _ in 0..3 {
        assert_eq!(verify(&app, "u", "123456789").await.json(), invalid(4, 5));
    }
    verify(&app, "u", &now).await.ok();
}

#[tokio::test]
async fn a_code_is_taken_again_when_its_window_is_over() {
    let app = TestApp::new().await;
    // A step so long that the same code is valid for an hour.
    let body = json!({"userId": "u", "deviceName": "a", "skew": 0, "period": 3600});
    let secret = app.post("/recipe/totp/device", body).await.ok().text_at("/secret");
    app.clock.advance(3_600_000 - app.context.now().0 % 3_600_000);
    let now = super::code_of(&app, &secret, 3600, 0);
    verify_device(&app, "u", "a", &now).await.ok();
    app.clock.advance(3_599_999);
    assert_eq!(verify(&app, "u", &now).await.json(), invalid(1, 5));
    app.clock.advance(1);
    verify(&app, "u", &super::code_of(&app, &secret, 3600, 0)).await.ok();
}

#[tokio::test]
async fn a_code_is_used_up_for_every_device_that_shows_it() {
    let app = TestApp::new().await;
    for (name, skew) in [("hasty", 0), ("patient", 10), ("hasty too", 0)] {
        let body =
            json!({"userId": "u", "deviceName": name, "skew": skew, "period": 30, "secretKey": "GEZDGNBVGY3TQOJQ"});
        app.post("/recipe/totp/device/import", body).await.ok();
    }
    let now = code(&app, "GEZDGNBVGY3TQOJQ", 0);
    verify(&app, "u", &now).await.ok();
    for (failures, after) in [(1, 30_000), (2, 30_000), (3, 240_000)] {
        app.clock.advance(after);
        assert_eq!(verify(&app, "u", &now).await.json(), invalid(failures, 5), "used codes stay used");
    }
}

#[tokio::test]
async fn counts_are_told_from_5_0_on() {
    let app = TestApp::builder().setting("totp_max_attempts", "1").build().await;
    let secret = device(&app, "u", "a").await;
    let wrong = wrong(&app, &secret);
    for (version, first) in [("4.0", json!({"status": "INVALID_TOTP_ERROR"})), ("5.0", invalid(1, 1))] {
        let ask = async || app.post("/recipe/totp/verify", json!({"userId": "u", "totp": wrong})).cdi(version).await;
        assert_eq!(ask().await.json(), first);
        let second = match version {
            "4.0" => json!({"status": "LIMIT_REACHED_ERROR", "retryAfterMs": 900_000}),
            _ => limit_reached(1, 900_000),
        };
        assert_eq!(ask().await.json(), second);
        app.clock.advance(900_000);
    }
}

#[tokio::test]
async fn what_happened_is_in_the_audit_log() {
    let app = TestApp::builder().setting("totp_max_attempts", "2").build().await;
    let secret = device(&app, "u", "phone").await;
    for _ in 0..3 {
        verify(&app, "u", &wrong(&app, &secret)).await;
    }
    app.post("/recipe/totp/device/remove", json!({"userId": "u", "deviceName": "phone"})).await.ok();
    let log = app.get("/audit?userId=u").await.json();
    let mut told: Vec<_> =
        log["events"].as_array().unwrap().iter().map(|e| (e["kind"].clone(), e["detail"].clone())).collect();
    told.sort_by_key(|(kind, _)| kind.to_string());
    let named = |kind: &str| (json!(kind), json!("phone"));
    let limit = (json!("totp-limit-reached"), serde_json::Value::Null);
    assert_eq!(told, [named("totp-device-added"), named("totp-device-removed"), limit]);
}
