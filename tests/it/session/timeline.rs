//! Timelines: what happened, why, and no secrets.

use super::driver::{Driver, told};
use crate::app::START;
use sessiond::domain::session::RefreshPolicy::{PromoteOnUse, RotateOnRefresh};

#[tokio::test]
async fn a_legacy_life_is_told_step_by_step() {
    let driver = Driver::new().await;
    let first = driver.create("u").await;
    let [second, third] =
        [driver.refreshed(PromoteOnUse, &first.refresh).await, driver.refreshed(PromoteOnUse, &first.refresh).await];
    driver.advance(10);
    driver.verify(PromoteOnUse, &second.access, false).await;
    driver.verify(PromoteOnUse, &third.access, false).await;
    driver.advance(40_000);
    driver.refresh(PromoteOnUse, &first.refresh).await;
    driver.advance(60_000);
    driver.refresh(PromoteOnUse, &first.refresh).await;
    let living = driver.timeline(&first.handle).await.unwrap();
    assert_eq!(living.ended, None);
    assert!(
        living
            .summary
            .starts_with("Live until 2024-02-22T22:13:20.010Z unless refreshed, although the previous refresh")
            && living.summary.contains("has not ended the session"),
        "{}",
        living.summary
    );
    driver.advance(100);
    driver.revoke(&[&first.handle]).await;

    let names = ["created", "refreshed", "promoted", "sibling-moved", "reuse-detected", "revoked"];
    assert_eq!(driver.events(&first.handle).await, names);
    let story = driver.timeline(&first.handle).await.unwrap();
    assert_eq!(story.ended, Some(START.plus(100_110)));
    assert_eq!(story.events[1]["count"], 2, "repetitions are one event with a count");
    assert_eq!(story.events[2]["usedAt"], "verify");
    assert_eq!(story.events[4]["subtype"], "RECENT_PREV");
    assert_eq!(story.events[4]["count"], 2);
    assert_eq!(story.events[5]["call"], "POST /recipe/session/remove");
    assert_eq!(story.events[5]["requestId"], "req-1");
    assert_eq!(
        story.summary,
        "Ended at 2023-11-14T22:15:00.110Z by POST /recipe/session/remove (request req-1), 100 ms after a theft was \
         reported to the application because the previous refresh token came back 40 s after it was replaced. Treat it \
         as theft unless the user's own client still had a refresh with the old token in progress: then make its tabs \
         refresh one at a time."
    );
}

#[tokio::test]
async fn a_stolen_token_that_comes_back_again_and_again_is_written_once_a_minute() {
    let driver = Driver::new().await;
    let first = driver.create("u").await;
    let second = driver.refreshed(PromoteOnUse, &first.refresh).await;
    driver.verify(PromoteOnUse, &second.access, false).await;
    driver.advance(31_000);
    let commits = || driver.app.context.store.stats().commits;
    let before = commits();
    for (wait, written) in [(0, 1), (1, 1), (59_998, 1), (1, 2), (59_999, 2)] {
        driver.advance(wait);
        for _ in 0..3 {
            assert_eq!(told(&driver.refresh(PromoteOnUse, &first.refresh).await), "theft None");
        }
        assert_eq!(commits() - before, written, "after {wait} ms more");
    }
    let told = driver.timeline(&first.handle).await.unwrap();
    let reuse = told.events.last().unwrap();
    assert_eq!((&reuse["event"], &reuse["count"]), (&"reuse-detected".into(), &2.into()));
    driver.refreshed(PromoteOnUse, &second.refresh).await;
}

#[tokio::test]
async fn an_end_by_reuse_says_what_to_do() {
    let driver = Driver::new().await;
    let first = driver.create("u").await;
    let second = driver.refreshed(RotateOnRefresh, &first.refresh).await;
    driver.advance(1_000);
    driver.refreshed(RotateOnRefresh, &first.refresh).await;
    driver.advance(44_000);
    driver.refresh(RotateOnRefresh, &first.refresh).await;
    assert_eq!(driver.events(&first.handle).await, ["created", "rotated", "grace-replay", "reuse-detected"]);
    let story = driver.timeline(&first.handle).await.unwrap();
    assert_eq!(
        story.summary,
        "Ended at 2023-11-14T22:14:05.000Z because the previous refresh token came back 45 s after it was replaced. \
         Treat it as theft unless the user's own client retried a refresh after the grace period: then raise \
         refresh_token_rotation_grace_period."
    );

    for _ in 0..5 {
        driver.refresh(RotateOnRefresh, &second.refresh).await;
    }
    driver.advance(60_000);
    driver.refresh(RotateOnRefresh, &second.refresh).await;
    let story = driver.timeline(&first.handle).await.unwrap();
    assert_eq!(story.events.last().unwrap()["event"], "refresh-attempted-after-end");
    assert_eq!(story.events.last().unwrap()["count"], 2, "repeats within a minute count once");
    assert!(story.summary.ends_with(" After that a refresh was attempted 2 times, last at 2023-11-14T22:15:05.000Z."));
}

#[tokio::test]
async fn an_expired_session_is_told_before_and_after_the_sweep() {
    let driver = Driver::new().await;
    let held = driver.create("u").await;
    let fresh = driver.timeline(&held.handle).await.unwrap();
    assert_eq!(fresh.summary, "Live until 2024-02-22T22:13:20.000Z unless refreshed; not refreshed so far.");
    driver.advance(144_000 * 60_000 + 1);
    let expired = driver.timeline(&held.handle).await.unwrap().summary;
    assert!(expired.starts_with("Expired at 2024-02-22T22:13:20.000Z: it was not refreshed in time"), "{expired}");
    sessiond::jobs::sweep::sweep(&driver.app.context, driver.app.context.now()).await.unwrap();
    let swept = driver.timeline(&held.handle).await.unwrap().summary;
    assert_eq!(swept, "Expired at 2024-02-22T22:13:20.000Z: it was not refreshed in time.");
}

#[tokio::test]
async fn a_long_life_keeps_its_first_and_its_newest_and_its_notable_events() {
    let driver = Driver::new().await;
    let first = driver.create("u").await;
    let mut held = driver.refreshed(PromoteOnUse, &first.refresh).await;
    for round in 0..100 {
        driver.advance(3_600_000);
        held = driver.refreshed(PromoteOnUse, &held.refresh).await;
        if round == 3 {
            driver.refresh(PromoteOnUse, &first.refresh).await;
        }
    }
    let story = driver.timeline(&first.handle).await.unwrap();
    assert_eq!(story.events.len(), 32);
    assert_eq!(story.events[0]["event"], "created");
    assert_eq!(story.events[1]["event"], "reuse-detected", "routine events are dropped first");
    assert_eq!(story.events[31]["generation"], 100);
    assert_eq!(story.omitted, 1 + 1 + 200 + 1 - 32);
}

#[tokio::test]
async fn no_event_holds_a_secret() {
    let driver = Driver::new().await;
    let first = driver.create("u").await;
    let second = driver.refreshed(RotateOnRefresh, &first.refresh).await;
    driver.advance(31_000);
    driver.refresh(RotateOnRefresh, &first.refresh).await;
    let story = driver.timeline(&first.handle).await.unwrap();
    let text = format!("{}{}", story.summary, serde_json::to_string(&story.events).unwrap());
    for held in [first, second] {
        let hash = sessiond::domain::token_hash::TokenHash1::of(&held.refresh);
        let stored = sessiond::domain::token_hash::hex(&hash.stored().0);
        for secret in [held.refresh.as_str(), held.access.as_str(), hash.to_hex().as_str(), stored.as_str()] {
            assert!(!text.contains(secret));
        }
    }
}

#[tokio::test]
async fn nothing_is_known_of_a_strange_handle() {
    let driver = Driver::new().await;
    for handle in ["", "x", "00000000-0000-4000-8000-000000000000"] {
        assert!(driver.timeline(handle).await.is_none());
    }
}
