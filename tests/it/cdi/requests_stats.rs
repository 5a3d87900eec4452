//! `GET /requests/stats`.

use crate::app::TestApp;
use serde_json::{Value, json};

const PATH: &str = "/requests/stats";

/// The last `count` minutes as `(requests, peak)`; -60 requests where the average is unknown.
fn latest(stats: &Value, count: usize) -> Vec<(f64, i64)> {
    let list = |name: &str| stats[name].as_array().expect("a list").clone();
    let (averages, peaks) = (list("averageRequestsPerSecond"), list("peakRequestsPerSecond"));
    assert_eq!((averages.len(), peaks.len()), (1440, 1440));
    let both = averages
        .iter()
        .zip(&peaks)
        .map(|(a, p)| ((a.as_f64().expect("a number") * 60.0).round(), p.as_i64().expect("an int")));
    both.skip(1440 - count).collect()
}

#[tokio::test]
async fn minutes_have_average_and_peak_and_the_running_one_is_left_out() {
    let app = TestApp::new().await;
    // The clock is at second 20 of its minute.
    for _ in 0..4 {
        app.get("/telemetry").await;
    }
    app.clock.advance(1_000);
    for _ in 0..2 {
        app.get("/nothing/here").await;
    }
    assert_eq!(latest(&app.get(PATH).await.ok().json(), 2), [(-60.0, -1), (-60.0, -1)]);
    app.clock.advance(39_000);
    let stats = app.get(PATH).await.ok().json();
    assert_eq!(stats["atMinute"], json!(1_700_000_040 / 60));
    assert_eq!(latest(&stats, 2), [(-60.0, -1), (7.0, 4)]);
    app.clock.advance(120_000);
    assert_eq!(latest(&app.get(PATH).await.ok().json(), 3), [(7.0, 4), (1.0, 1), (0.0, 0)]);
    app.clock.advance(1_440 * 60_000);
    let stats = latest(&app.get(PATH).await.ok().json(), 1440);
    assert_eq!((stats[0], stats[1]), ((1.0, 1), (0.0, 0)));
}

#[tokio::test]
async fn apps_are_counted_apart_and_forgotten_when_removed() {
    let app = TestApp::new().await;
    let make = async || app.put("/recipe/multitenancy/app/v2", json!({"appId": "a1"})).await.ok();
    make().await;
    app.get("/appid-a1/telemetry").await;
    app.clock.advance(60_000);
    // Changed settings do not restart the count.
    make().await;
    assert_eq!(latest(&app.get("/appid-a1/requests/stats").await.ok().json(), 1), [(1.0, 1)]);
    assert_eq!(latest(&app.get(PATH).await.ok().json(), 1), [(1.0, 1)]);
    app.post("/recipe/multitenancy/app/remove", json!({"appId": "a1"})).await.ok();
    make().await;
    assert_eq!(latest(&app.get("/appid-a1/requests/stats").await.ok().json(), 1), [(-60.0, -1)]);
}

#[tokio::test]
async fn it_is_of_the_app_and_needs_the_key() {
    let app = TestApp::builder().setting("api_keys", "abcdefghijklmnopqrstuvwxyz").build().await;
    app.get(PATH).await.is_text(401, "Invalid API key");
    let reply = app.get("/t1/requests/stats").key("abcdefghijklmnopqrstuvwxyz").await;
    reply.is_text(403, "Only public tenantId can call this app specific API");
}
