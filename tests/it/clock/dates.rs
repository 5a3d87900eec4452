//! Dates: tokens, sessions, keys, codes, and data kept for a while. They follow the wall clock, so while it is wrong
//! they may be refused; once it is right again they are valid again, and nothing of them was deleted.

use super::{DAY, HOUR, MINUTE, walks};
use crate::app::{START, TestApp};
use crate::people::with_cheap_passwords;
use crate::session::driver::{Driver, Held, told};
use serde_json::{Value, json};
use sessiond::command::bulk_import::batch::Counts;
use sessiond::command::session::verify::Verified;
use sessiond::domain::session::RefreshPolicy::{PromoteOnUse, RotateOnRefresh};
use sessiond::jobs::{bulk_import, sweep_if_due, unused_round};
use sessiond::store::Keyspace;

const PASSWORD: &str = "correct-horse-1";
const EMAIL: &str = "jane@x.io";

async fn rotate_due(app: &TestApp) {
    assert_eq!(app.context.keys.rotate_due(&app.context.directory, || app.context.key_context()).await, 0);
}

#[tokio::test]
async fn no_token_ends_before_its_time_and_its_key_neither() {
    // Tokens live for an hour, minus up to a twentieth.
    const LEAST: u64 = 57 * MINUTE;
    for walk in walks() {
        let driver = Driver::new().await;
        let mut minted: Vec<(u64, Held)> = Vec::new();
        for by in walk.iter().copied().chain([0, 0]) {
            minted.push((driver.app.context.now().0, driver.create("u").await));
            driver.app.clock.step(by);
            rotate_due(&driver.app).await;
            driver.advance(MINUTE);
            let now = driver.app.context.now().0;
            for (at, held) in minted.iter().filter(|(at, _)| now < at + LEAST) {
                let verified = driver.verify(PromoteOnUse, &held.access, false).await;
                assert!(matches!(verified, Verified::Ok { .. }), "minted at {at}, now {now}: {walk:?}");
            }
        }
    }
}

#[tokio::test]
async fn sessions_live_on_when_the_clock_is_right_again() {
    for walk in walks() {
        for policy in [PromoteOnUse, RotateOnRefresh] {
            let driver = Driver::new().await;
            let held = driver.create("u").await;
            for by in &walk {
                driver.app.clock.step(*by);
                assert_eq!(sweep_if_due(&driver.app.context).await, None);
                driver.create("u").await;
                driver.advance(MINUTE);
            }
            let next = driver.refreshed(policy, &held.refresh).await;
            let again = driver.refreshed(policy, &next.refresh).await;
            assert!(matches!(driver.verify(policy, &again.access, true).await, Verified::Ok { .. }), "{walk:?}");
        }
    }
}

#[tokio::test]
async fn who_lost_a_reply_is_no_thief_while_the_grace_period_lasts() {
    for walk in walks() {
        let driver = Driver::new().await;
        let held = driver.create("u").await;
        driver.refreshed(RotateOnRefresh, &held.refresh).await;
        for by in &walk {
            driver.app.clock.step(*by);
            driver.advance(1000);
        }
        assert_eq!(told(&driver.refresh(RotateOnRefresh, &held.refresh).await), "ok", "{walk:?}");
        driver.advance(31_000);
        assert_ne!(told(&driver.refresh(RotateOnRefresh, &held.refresh).await), "ok", "{walk:?}");
    }
    for back in [1, HOUR, 400 * DAY] {
        let driver = Driver::new().await;
        let held = driver.create("u").await;
        driver.refreshed(RotateOnRefresh, &held.refresh).await;
        driver.app.clock.set(START.minus(back));
        assert_eq!(told(&driver.refresh(RotateOnRefresh, &held.refresh).await), "ok", "set back by {back} ms");
    }
}

/// Something that was sent to a person and works once.
struct Sent {
    reset: String,
    verify: String,
    code: Value,
}

async fn send(app: &TestApp, user: &str, email: &str) -> Sent {
    let body = json!({"userId": user, "email": email});
    let reset = app.post("/recipe/user/password/reset/token", body.clone()).await.ok().text_at("/token");
    let verify = app.post("/recipe/user/email/verify/token", body).await.ok().text_at("/token");
    let code = app.send(json!({"email": format!("code-{email}")})).await.input();
    Sent { reset, verify, code }
}

impl Sent {
    /// The statuses of its use.
    async fn used(&self, app: &TestApp) -> [String; 3] {
        let reset = app.post("/recipe/user/password/reset/token/consume", json!({"token": self.reset}));
        let verify = app.post("/recipe/user/email/verify", json!({"method": "token", "token": self.verify}));
        [reset.await, verify.await, app.consume(self.code.clone()).await].map(|reply| reply.text_at("/status"))
    }
}

#[tokio::test]
async fn what_was_sent_works_in_its_time_and_not_after_it() {
    for walk in walks() {
        let app = with_cheap_passwords().build().await;
        let [jane, joe] = [app.sign_up(EMAIL, PASSWORD).await, app.sign_up("joe@x.io", PASSWORD).await];
        let [good, late] = [send(&app, &jane, EMAIL).await, send(&app, &joe, "joe@x.io").await];
        for by in &walk {
            app.clock.step(*by);
            unused_round(&app.context).await;
            app.clock.advance(1000);
        }
        assert_eq!(good.used(&app).await, ["OK"; 3], "{walk:?}");
        app.clock.advance(DAY + HOUR);
        assert!(late.used(&app).await.iter().all(|status| status != "OK"), "{walk:?}");
    }
}

/// Rows kept for a while: sessions, timelines, tokens, codes, attempts, audit events, dashboard sessions.
const KEPT: [Keyspace; 8] = [
    Keyspace::Session,
    Keyspace::Timeline,
    Keyspace::EmailVerificationToken,
    Keyspace::PasswordResetToken,
    Keyspace::PasswordlessDevice,
    Keyspace::TotpAttempts,
    Keyspace::AuditEvent,
    Keyspace::DashboardSession,
];

async fn kept(app: &TestApp) -> [usize; 8] {
    let mut counts = [0; 8];
    for (count, keyspace) in counts.iter_mut().zip(KEPT) {
        *count = app.rows(keyspace).await;
    }
    counts
}

/// Creates at least one row of each kind; returns the dashboard session.
async fn fill(app: &TestApp) -> String {
    let user = app.sign_up(EMAIL, PASSWORD).await;
    send(app, &user, EMAIL).await;
    app.session("u").await;
    let ended = app.session("v").await.handle();
    app.post("/recipe/session/remove", json!({"sessionHandles": [ended]})).await.ok();
    app.post("/recipe/totp/device", json!({"userId": "u", "deviceName": "a", "skew": 1, "period": 30})).await.ok();
    app.post("/recipe/totp/device/verify", json!({"userId": "u", "deviceName": "a", "totp": "123456"})).await;
    let body = json!({"email": EMAIL, "password": PASSWORD});
    app.post("/recipe/dashboard/user", body.clone()).await.ok();
    app.post("/recipe/dashboard/signin", body).await.ok().text_at("/sessionId")
}

async fn clean_up(app: &TestApp) {
    sweep_if_due(&app.context).await;
    unused_round(&app.context).await;
}

#[tokio::test]
async fn nothing_is_deleted_early_and_everything_in_the_end() {
    for walk in walks() {
        let app = with_cheap_passwords().build().await;
        let dashboard = fill(&app).await;
        let before = kept(&app).await;
        assert!(before.iter().all(|count| *count > 0), "{before:?}");
        for by in &walk {
            app.clock.step(*by);
            clean_up(&app).await;
            app.clock.advance(MINUTE);
            clean_up(&app).await;
            assert_eq!(kept(&app).await, before, "{walk:?}");
        }
        let verify = app.post("/recipe/dashboard/session/verify", json!({"sessionId": dashboard})).await;
        assert_eq!(verify.text_at("/email"), EMAIL, "{walk:?}");
        // The clock has settled, and everything has expired: sessions after 100 days, audit events after their
        // retention.
        for _ in 0..3 {
            app.clock.advance(100 * DAY);
            for _ in 0..4 {
                clean_up(&app).await;
                app.clock.advance(12 * HOUR);
            }
        }
        assert_eq!(kept(&app).await, [0; 8], "{walk:?}");
    }
}

#[tokio::test]
async fn users_that_wait_are_imported_in_any_time() {
    let app = TestApp::new().await;
    let user = |number: usize| {
        json!({"loginMethods": [{"recipeId": "thirdparty", "thirdPartyId": "google", "thirdPartyUserId": number.to_string(),
            "email": format!("u{number}@x.io")}]})
    };
    for (number, by) in walks().concat().into_iter().enumerate() {
        app.post("/bulk-import/users", json!({"users": [user(number)]})).await.ok();
        app.clock.step(by);
        let counts = bulk_import::round(&app.context).await.unwrap();
        assert_eq!(counts, Counts { imported: 1, failed: 0 });
    }
    assert_eq!(app.rows(Keyspace::BulkImport).await, 0);
}
