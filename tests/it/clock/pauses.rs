//! Pauses: sign-in delays, wrong one-time codes, activity marks, health checks, failed key changes.

use super::{DAY, HOUR, MINUTE, walks};
use crate::app::{ManualClock, START, TestApp};
use crate::people::with_cheap_passwords;
use serde_json::{Value, json};
use sessiond::command::health::{CheckHealth, Health};
use sessiond::domain::ids::{AppId, UserId};
use sessiond::domain::session::RefreshPolicy;
use sessiond::domain::session::event::{EventKind, ReuseSubtype};
use sessiond::domain::session::timeline::{Attempts, EventLog};
use sessiond::domain::time::UnixMillis;
use sessiond::domain::totp::TotpSecret;
use sessiond::store::activity::{self, ActiveRecord};
use sessiond::store::codec;
use sessiond::store::memory::MemoryEngine;
use std::sync::Arc;

/// Seconds in `Retry-After`, 0 for a sign-in that was processed.
async fn delay(app: &TestApp, path: &str, password: &str) -> u64 {
    let body = json!({"email": "jane@x.io", "password": password});
    app.post(path, body).await.0.retry_after_s.unwrap_or(0)
}

#[tokio::test]
async fn a_sign_in_waits_for_its_delay_and_no_longer() {
    const PASSWORD: &str = "correct-horse-1";
    for path in ["/recipe/signin", "/recipe/dashboard/signin"] {
        for walk in walks() {
            let app = with_cheap_passwords().setting("brute_force_protection", "true").build().await;
            app.sign_up("jane@x.io", PASSWORD).await;
            app.post("/recipe/dashboard/user", json!({"email": "jane@x.io", "password": PASSWORD})).await.ok();
            app.clock.step(walk[0]);
            for _ in 0..6 {
                assert_eq!(delay(&app, path, "wrong").await, 0);
            }
            for by in &walk[1..] {
                assert_eq!(delay(&app, path, PASSWORD).await, 1);
                app.clock.step(*by);
                assert_eq!(delay(&app, path, PASSWORD).await, 1, "{walk:?}");
            }
            app.clock.advance(999);
            assert_eq!(delay(&app, path, PASSWORD).await, 1, "{walk:?}");
            app.clock.advance(1);
            app.post(path, json!({"email": "jane@x.io", "password": PASSWORD})).await.ok();
        }
    }
}

/// The code that a 30 s authenticator app shows, this many steps from now.
fn code(app: &TestApp, secret: &str, steps: i64) -> String {
    let step = (app.context.now().seconds() / 30).checked_add_signed(steps).unwrap();
    format!("{:06}", TotpSecret::from_base32(secret).unwrap().code(step))
}

async fn check(app: &TestApp, code: &str) -> Value {
    app.post("/recipe/totp/verify", json!({"userId": "u", "totp": code})).await.json()
}

/// The secret of a verified device, after five wrong codes under a clock that was set before.
async fn locked_out(app: &TestApp, by: i64) -> String {
    let body = json!({"userId": "u", "deviceName": "a", "skew": 1, "period": 30});
    let secret = app.post("/recipe/totp/device", body).await.ok().text_at("/secret");
    let body = json!({"userId": "u", "deviceName": "a", "totp": code(app, &secret, 0)});
    app.post("/recipe/totp/device/verify", body).await.ok();
    app.clock.step(by);
    for _ in 0..5 {
        // A code of a step that no clock in the test comes near.
        assert_eq!(check(app, &code(app, &secret, -1_000_000)).await["status"], "INVALID_TOTP_ERROR");
    }
    secret
}

fn wait(reply: &Value) -> u64 {
    reply["retryAfterMs"].as_u64().unwrap_or(0)
}

const COOLDOWN: u64 = 15 * MINUTE;

#[tokio::test]
async fn wrong_one_time_codes_close_for_their_pause_and_no_longer() {
    for walk in walks() {
        let store = Arc::new(MemoryEngine::new());
        let clock = ManualClock::at(START);
        let start = async || TestApp::builder().store(store.clone()).clock(&clock).build().await;
        let app = start().await;
        let secret = locked_out(&app, walk[0]).await;
        let mut passed = 0;
        for by in &walk[1..] {
            clock.step(*by);
            assert_eq!(wait(&check(&app, "123456").await), COOLDOWN - passed, "{walk:?}");
            clock.advance(MINUTE);
            passed += MINUTE;
            // A restart neither shortens nor lengthens it.
            assert_eq!(wait(&check(&start().await, "123456").await), COOLDOWN - passed, "{walk:?}");
        }
        clock.advance(COOLDOWN - passed - 1);
        assert_eq!(wait(&check(&app, "123456").await), 1, "{walk:?}");
        clock.advance(1);
        assert_eq!(check(&start().await, &code(&app, &secret, 1)).await["status"], "OK", "{walk:?}");
    }
}

#[tokio::test]
async fn after_a_reboot_they_are_closed_for_their_pause_at_most() {
    for walk in walks() {
        let store = Arc::new(MemoryEngine::new());
        let clock = ManualClock::at(START);
        let app = TestApp::builder().store(store.clone()).clock(&clock).build().await;
        let secret = locked_out(&app, walk[0]).await;
        clock.reboot(MINUTE);
        let mut longest = COOLDOWN;
        for by in &walk[1..] {
            clock.step(*by);
            let app = TestApp::builder().store(store.clone()).clock(&clock).build().await;
            let left = wait(&check(&app, "123456").await);
            assert!(left <= longest, "{left} ms of {longest}: {walk:?}");
            clock.advance(MINUTE);
            longest -= MINUTE;
        }
        clock.advance(longest);
        let app = TestApp::builder().store(store).clock(&clock).build().await;
        assert_eq!(check(&app, &code(&app, &secret, 1)).await["status"], "OK", "{walk:?}");
    }
}

#[tokio::test]
async fn users_are_marked_as_active_whatever_the_clock_said_before() {
    for walk in walks() {
        let app = TestApp::new().await;
        for by in walk {
            app.session("u").await;
            app.clock.step(by);
            app.clock.advance(5 * MINUTE);
            app.session("u").await;
            let key = activity::key(&AppId::base(), &UserId::new("u"));
            let mark: ActiveRecord = codec::get(app.context.store.begin().as_mut(), &key).await.unwrap().unwrap();
            assert_eq!(mark.at, app.context.now());
        }
    }
}

#[tokio::test]
async fn health_checks_reach_the_store_again_when_they_may() {
    let app = TestApp::new().await;
    let entry = app.context.directory.app(&AppId::base()).unwrap();
    let ask = async || CheckHealth { app: &entry }.run(&app.context).await.unwrap();
    for by in walks().concat() {
        while ask().await == Health::Good {}
        app.clock.step(by);
        assert_eq!(ask().await, Health::RateLimited);
        app.clock.advance(200);
        assert_eq!(ask().await, Health::Good);
    }
}

#[test]
fn what_came_back_is_recorded_once_a_minute_and_at_once_when_nobody_knows_how_long_ago_the_last_was() {
    let reuse = || EventKind::ReuseDetected {
        subtype: ReuseSubtype::StaleLineage,
        policy: RefreshPolicy::PromoteOnUse,
        generation: 1,
        after_ms: None,
        request_id: String::new(),
    };
    for by in walks().concat() {
        let log = EventLog::starting_with(START, reuse());
        let ended = Attempts::with_another(None, START);
        let now = UnixMillis(START.0.saturating_add_signed(by));
        let wanted = !(0..60_000).contains(&by);
        assert_eq!(log.wants_reuse(now), wanted, "{by}");
        assert_eq!(Attempts::with_another(ended, now).is_some(), wanted, "{by}");
    }
}

#[tokio::test]
async fn a_ring_that_nobody_asks_for_leaves_memory_after_a_day_and_not_when_the_clock_is_set() {
    let app = TestApp::new().await;
    app.session("u").await;
    for by in walks().concat() {
        app.clock.step(by);
        app.context.keys.rotate_due(&app.context.directory, || app.context.key_context()).await;
        assert_eq!(app.context.keys.in_memory(), 1);
    }
    app.clock.advance(DAY + HOUR);
    app.context.keys.rotate_due(&app.context.directory, || app.context.key_context()).await;
    assert_eq!(app.context.keys.in_memory(), 0);
}
