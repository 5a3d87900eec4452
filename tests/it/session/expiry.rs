//! End of life: boundaries that differ by call, and the sweep.

use super::driver::{Driver, told};
use crate::app::{START, TestApp};
use sessiond::command::session::data::{SessionDataChange, UpdateSession, Updated};
use sessiond::domain::ids::{AppId, SessionHandle};
use sessiond::domain::json::JsonObject;
use sessiond::domain::session::RefreshPolicy::{PromoteOnUse, RotateOnRefresh};
use sessiond::jobs::sweep::{Sweep, SweepCounts, sweep};
use sessiond::jobs::sweep_round;
use sessiond::store::cross_references::CrossReferences;
use sessiond::store::session as rows;

const VALIDITY: u64 = 144_000 * 60_000;
const RETENTION: u64 = 31 * 86_400_000;

#[tokio::test]
async fn each_call_has_its_own_boundary() {
    let driver = Driver::new().await;
    let held = driver.create("u").await;
    let update = || {
        let change = SessionDataChange::Database(JsonObject::empty());
        UpdateSession { scope: driver.scope("PUT /recipe/session/data"), handle: &held.handle, change }
    };
    driver.app.clock.set(START.plus(VALIDITY - 1));
    assert!(driver.find(&held.handle).await.is_some());
    assert!(matches!(update().run(&driver.app.context).await.unwrap(), Updated::Ok));

    driver.app.clock.set(START.plus(VALIDITY));
    assert!(driver.find(&held.handle).await.is_none(), "shown until before its end");
    assert!(matches!(update().run(&driver.app.context).await.unwrap(), Updated::NoSuchSession));
    assert_eq!(driver.list("u", None).await.len(), 1, "listed until its end");
    assert_eq!(told(&driver.refresh(PromoteOnUse, &held.refresh).await), "ok", "refreshed until its end");

    driver.app.clock.set(START.plus(VALIDITY + 1));
    assert!(driver.list("u", None).await.is_empty());
    for policy in [PromoteOnUse, RotateOnRefresh] {
        let outcome = driver.refresh(policy, &held.refresh).await;
        assert_eq!(told(&outcome), "unauthorised: Session missing in db or has expired None");
    }
    assert!(driver.revoke_user("u", None).await.is_empty(), "by user only live sessions are revoked");
}

#[tokio::test]
async fn the_end_of_life_moves_with_a_promotion_and_a_rotation_but_not_with_a_mere_refresh() {
    let driver = Driver::new().await;
    let held = driver.create("u").await;
    let expiry = async || driver.find(&held.handle).await.unwrap().expiry;
    driver.advance(1_000);
    let child = driver.refreshed(PromoteOnUse, &held.refresh).await;
    assert_eq!(expiry().await, START.plus(VALIDITY));
    driver.advance(1_000);
    driver.verify(PromoteOnUse, &child.access, false).await;
    assert_eq!(expiry().await, START.plus(2_000 + VALIDITY));
    driver.advance(1_000);
    driver.refreshed(RotateOnRefresh, &child.refresh).await;
    assert_eq!(expiry().await, START.plus(3_000 + VALIDITY));
    driver.advance(1_000);
    driver.refreshed(RotateOnRefresh, &child.refresh).await;
    assert_eq!(expiry().await, START.plus(3_000 + VALIDITY), "a replay inside the grace period moves nothing");
}

#[tokio::test]
async fn a_sweep_ends_what_has_expired_and_purges_old_timelines() {
    let driver = Driver::new().await;
    let app = &driver.app.context;
    let mut old = Vec::new();
    for user in 0..150 {
        old.push(driver.create(&format!("u{user}")).await);
    }
    driver.advance(1_000);
    let young = driver.create("young").await;

    assert_eq!(
        sweep(app, START.plus(VALIDITY - 1)).await.unwrap(),
        SweepCounts { sessions: 0, timelines: 0, ..Default::default() }
    );
    driver.app.clock.set(START.plus(VALIDITY));
    assert_eq!(
        sweep(app, START.plus(VALIDITY)).await.unwrap(),
        SweepCounts { sessions: 150, timelines: 0, ..Default::default() }
    );
    assert_eq!(driver.list("young", None).await, [young.handle]);
    assert_eq!(driver.events(&old[7].handle).await, ["created", "expired"]);
    let story = driver.timeline(&old[7].handle).await.unwrap();
    assert_eq!(story.ended, Some(START.plus(VALIDITY)));
    assert_eq!(references(&driver).await, CrossReferences { rows: 1, index_keys: 1, ..Default::default() });

    let purge = START.plus(VALIDITY + RETENTION);
    assert_eq!(
        sweep(app, START.plus(VALIDITY + 1_000)).await.unwrap(),
        SweepCounts { sessions: 1, timelines: 0, ..Default::default() }
    );
    assert_eq!(sweep(app, START.plus(purge.0 - START.0 - 1)).await.unwrap().timelines, 0);
    let removed = sweep(app, purge.plus(1_000)).await.unwrap();
    assert_eq!(removed, SweepCounts { sessions: 0, timelines: 151, ..Default::default() });
    assert!(driver.timeline(&old[7].handle).await.is_none());
}

#[tokio::test]
async fn a_sweep_step_is_bounded() {
    let driver = Driver::new().await;
    for user in 0..200 {
        driver.create(&format!("u{user}")).await;
    }
    let mut sweep = Sweep::new();
    let mut before = 0;
    let now = START.plus(VALIDITY + 1);
    while sweep.step(&driver.app.context, now).await.unwrap() {
        assert!(sweep.removed().sessions - before <= 64);
        before = sweep.removed().sessions;
    }
    assert_eq!(before, 200);
}

#[tokio::test]
async fn the_check_finds_a_row_without_its_index_and_an_index_without_its_row() {
    let driver = Driver::new().await;
    let [kept, unlisted, rowless] =
        [driver.create("a").await, driver.create("b").await, driver.create("c").await].map(|held| held.handle);
    let good = references(&driver).await;
    assert_eq!(good, CrossReferences { rows: 3, index_keys: 3, ..Default::default() });

    let app = AppId::base();
    let store = &driver.app.context.store;
    let mut tx = store.begin();
    let unlisted = SessionHandle::parse(&unlisted).unwrap();
    tx.delete(rows::index_key(&app, &sessiond::domain::ids::UserId::new("b"), &unlisted));
    let rowless = SessionHandle::parse(&rowless).unwrap();
    tx.delete(rows::row_key(&app, &rowless));
    tx.commit().await.unwrap();

    let found = references(&driver).await;
    assert_eq!((found.rows, found.index_keys, found.broken), (2, 2, 2));
    assert!(found.described[0].contains(&unlisted.to_string()), "{:?}", found.described);
    assert!(found.described[1].contains(&rowless.to_string()), "{:?}", found.described);
    assert!(found.described.iter().all(|line| !line.contains(&kept)));
}

async fn references(driver: &Driver) -> CrossReferences {
    rows::check(&*driver.app.context.store).await.unwrap()
}

const HOUR: u64 = 3_600_000;

#[tokio::test]
async fn a_clock_that_is_wrong_for_a_while_ends_no_session() {
    let driver = Driver::new().await;
    let app = &driver.app.context;
    let held = driver.create("u").await;
    assert_eq!(sweep_round(app).await, None, "the clock is not known to be reliable yet");
    driver.advance(12 * HOUR);
    assert_eq!(sweep_round(app).await, Some(SweepCounts::default()));

    driver.app.clock.set(START.plus(2 * VALIDITY));
    assert!(driver.list("u", None).await.is_empty(), "over for every caller");
    for _ in 0..12 {
        assert_eq!(sweep_round(app).await, None);
        driver.advance(HOUR - 1);
    }
    driver.app.clock.set(START.plus(24 * HOUR));
    assert_eq!(sweep_round(app).await, None, "the jump back is a jump, too");
    assert_eq!(driver.list("u", None).await, [held.handle.as_str()]);
    assert_eq!(told(&driver.refresh(PromoteOnUse, &held.refresh).await), "ok");
}

#[tokio::test]
async fn a_new_time_is_believed_when_it_has_held_for_a_whole_interval() {
    let driver = Driver::new().await;
    let app = &driver.app.context;
    driver.create("u").await;
    driver.advance(12 * HOUR);
    driver.app.clock.set(START.plus(2 * VALIDITY));
    assert_eq!(sweep_round(app).await, None);
    driver.advance(12 * HOUR - 1);
    assert_eq!(sweep_round(app).await, None);
    driver.advance(1);
    assert_eq!(sweep_round(app).await, Some(SweepCounts { sessions: 1, ..Default::default() }));
}

#[tokio::test]
async fn a_jump_in_the_middle_of_a_sweep_ends_it() {
    let driver = Driver::new().await;
    for user in 0..130 {
        driver.create(&format!("u{user}")).await;
    }
    driver.advance(12 * HOUR);
    // The sweep pauses after its first page.
    let jump = async { driver.app.clock.set(START.plus(2 * VALIDITY)) };
    let (swept, ()) = tokio::join!(sweep_round(&driver.app.context), jump);
    assert_eq!(swept, None);
    assert_eq!(references(&driver).await.rows, 130);
}

#[tokio::test]
async fn test_mode_sweeps_without_waiting() {
    let driver = Driver::with(TestApp::builder().test_mode()).await;
    assert_eq!(sweep_round(&driver.app.context).await, Some(SweepCounts::default()));
}
