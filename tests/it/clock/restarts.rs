//! Servers that never run for long: knowledge about the clock outlives them, so expired items are deleted.

use super::{DAY, HOUR, MINUTE};
use crate::app::{ManualClock, START, TestApp};
use crate::store::{fill as fill_store, options, rows_of, scratch};
use serde_json::json;
use sessiond::domain::clock_watch::SETTLING_MS;
use sessiond::domain::time::{Clock, UnixMillis};
use sessiond::jobs::{keep_clock, sweep_if_due, unused_round};
use sessiond::store::memory::MemoryEngine;
use sessiond::store::{Engine, Key, Keyspace, clock, sled};
use std::sync::Arc;

/// A server that is restarted again and again on one store.
struct Server {
    store: Arc<dyn Engine>,
    clock: ManualClock,
}

impl Server {
    fn new() -> Self {
        Self { store: Arc::new(MemoryEngine::new()), clock: ManualClock::at(START) }
    }

    async fn start(&self) -> TestApp {
        let app = TestApp::builder().store(Arc::clone(&self.store)).clock(&self.clock).build().await;
        keep_clock(&app.context, false).await;
        app
    }

    /// Runs for `millis`, reads the clock every hour as the job does, and ends.
    async fn run(&self, millis: u64) -> TestApp {
        let app = self.start().await;
        for _ in 0..millis / HOUR {
            self.clock.advance(HOUR);
            keep_clock(&app.context, false).await;
        }
        self.clock.advance(millis % HOUR);
        app
    }

    /// The number of rows that a newly started process deletes.
    async fn deletes(&self) -> Option<u64> {
        let app = self.start().await;
        let swept = sweep_if_due(&app.context).await;
        let unused = unused_round(&app.context).await?;
        Some(unused + swept.map_or(0, |removed| removed.sessions + removed.email_tokens))
    }

    async fn rows(&self, keyspace: Keyspace) -> Vec<(Key, Vec<u8>)> {
        rows_of(&*self.store, keyspace).await
    }
}

/// Creates a token that a sweep deletes after a day, and a code that the other round deletes after 15 minutes.
async fn fill(app: &TestApp) {
    let body = json!({"userId": "u", "email": "e"});
    app.post("/recipe/user/email/verify/token", body).await.ok();
    app.send(json!({"email": "jane@x.io"})).await;
}

#[tokio::test]
async fn a_server_that_is_restarted_every_eleven_hours_deletes_what_is_due() {
    for ends_well in [true, false] {
        let server = Server::new();
        fill(&server.start().await).await;
        let app = server.run(11 * HOUR).await;
        assert_eq!(unused_round(&app.context).await, None, "the clock is not known to be reliable yet");
        if ends_well {
            keep_clock(&app.context, true).await;
        }
        let app = server.run(HOUR).await;
        assert_eq!(unused_round(&app.context).await, Some(1), "the combined knowledge of both processes");
        let app = server.run(11 * HOUR).await;
        assert_eq!(sweep_if_due(&app.context).await.unwrap().email_tokens, 0, "it lives for a day");
        server.run(11 * HOUR).await;
        assert_eq!(server.deletes().await, Some(0), "the last sweep was not long enough ago");
        server.run(11 * HOUR).await;
        assert_eq!(server.deletes().await, Some(1));
    }
}

#[tokio::test]
async fn one_that_is_restarted_every_ten_minutes_does_too() {
    let server = Server::new();
    fill(&server.start().await).await;
    for _ in 0..12 * 6 {
        assert_eq!(server.deletes().await, None);
        server.run(10 * MINUTE).await;
    }
    assert_eq!(server.deletes().await, Some(1));
    assert_eq!(server.rows(Keyspace::PasswordlessDevice).await, []);
}

#[tokio::test]
async fn so_does_a_machine_that_is_on_for_eight_hours_a_day() {
    let server = Server::new();
    fill(&server.start().await).await;
    let app = server.run(8 * HOUR).await;
    keep_clock(&app.context, true).await;
    server.clock.reboot(16 * HOUR);
    let app = server.run(4 * HOUR - 1).await;
    assert_eq!(unused_round(&app.context).await, None);
    server.clock.advance(1);
    assert_eq!(unused_round(&app.context).await, Some(1));
    assert_eq!(sweep_if_due(&app.context).await.unwrap().email_tokens, 1);
}

#[tokio::test]
async fn a_clock_that_was_set_while_no_server_ran_is_not_believed() {
    for by in [DAY, 40 * 365 * DAY] {
        let by = i64::try_from(by).unwrap();
        for by in [by, -by] {
            let server = Server::new();
            fill(&server.start().await).await;
            server.run(13 * HOUR).await;
            server.clock.step(by);
            assert_eq!(server.deletes().await, None, "{by}");
            server.clock.step(-by);
            assert_eq!(server.deletes().await, None, "the way back is a jump, too: {by}");
            server.run(12 * HOUR).await;
            assert_eq!(server.deletes().await, Some(2), "{by}");
        }
    }
}

#[tokio::test]
async fn a_board_that_boots_in_1970_waits_for_the_whole_time_after_it_was_told_the_right_one() {
    let server = Server::new();
    fill(&server.start().await).await;
    server.run(13 * HOUR).await;
    server.clock.reboot(0);
    server.clock.set(UnixMillis(MINUTE));
    let app = server.run(MINUTE).await;
    assert_eq!(unused_round(&app.context).await, None);
    server.clock.set(START.plus(2 * DAY));
    assert_eq!(unused_round(&app.context).await, None);
    server.clock.advance(SETTLING_MS - 1);
    assert_eq!(unused_round(&app.context).await, None);
    server.clock.advance(1);
    assert_eq!(unused_round(&app.context).await, Some(1));
}

#[tokio::test]
async fn what_a_test_server_believes_is_no_proof_for_another() {
    let server = Server::new();
    let app = TestApp::builder().test_mode().store(Arc::clone(&server.store)).clock(&server.clock).build().await;
    fill(&app).await;
    server.clock.advance(2 * HOUR);
    assert_eq!(unused_round(&app.context).await, Some(1));
    keep_clock(&app.context, true).await;
    assert_eq!(server.deletes().await, None);
}

#[tokio::test]
async fn what_is_known_of_the_clock_costs_a_write_an_hour_while_it_settles_and_two_a_day_after_that() {
    let folder = scratch();
    let clock = ManualClock::at(START);
    let app = TestApp::builder().clock(&clock).on_disk(folder.path()).build().await;
    let writes = async |hours: u64| {
        let before = app.context.store.stats().commits;
        for _ in 0..hours * 180 {
            keep_clock(&app.context, false).await;
            clock.advance(20_000);
        }
        app.context.store.stats().commits - before
    };
    assert_eq!(writes(12).await, 12);
    assert_eq!(writes(120).await, 10, "an anchor every twelve hours");
    app.context.store.close().await.unwrap();
}

#[tokio::test]
async fn a_sweep_goes_on_where_the_last_process_left_it() {
    let server = Server::new();
    let app = server.run(13 * HOUR).await;
    for user in 0..65 {
        app.session(&format!("u{user}")).await;
    }
    server.run(101 * DAY).await;
    let rows = server.rows(Keyspace::Session).await;
    let mut tx = server.store.begin();
    let mut record = clock::sweep(tx.as_mut()).await.unwrap();
    record.continue_at(&rows[60].0);
    clock::put_sweep(tx.as_mut(), &record).unwrap();
    tx.commit().await.unwrap();
    let app = server.start().await;
    assert_eq!(sweep_if_due(&app.context).await.unwrap().sessions, 5, "the rest");
    assert_eq!(sweep_if_due(&app.context).await, None, "the next is due half a day later");
    server.run(12 * HOUR).await;
    assert_eq!(server.deletes().await, Some(60));
}

#[tokio::test]
async fn a_clock_that_is_before_the_last_write_is_told_at_the_start() {
    let folder = scratch();
    let clock = ManualClock::at(UnixMillis(1_767_225_600_000)); // 2026
    let open = || sled::open(folder.path(), &sled::Options { clock: Arc::new(clock.clone()), ..options() }).unwrap();
    let notes = async || {
        let (engine, report) = open();
        engine.close().await.unwrap();
        report.notes
    };
    let (engine, report) = open();
    assert_eq!(report.notes, Vec::<String>::new());
    fill_store(&engine, 0..3).await;
    engine.close().await.unwrap();
    clock.step(-300_000);
    assert_eq!(notes().await, Vec::<String>::new(), "time services never correct by more");
    let right = clock.now();
    clock.set(UnixMillis(180_000));
    let told = notes().await;
    assert!(told[0].starts_with("the system clock shows 1970-01-01T00:03:00.000Z, 56 years before the folder's last"));
    assert!(told[0].contains("After=time-sync.target"), "{told:?}");
    clock.set(right);
    assert_eq!(notes().await, Vec::<String>::new(), "reading writes nothing");
}
