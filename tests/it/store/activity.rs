//! Counters of marks: whatever happens to marks, the counters say what the marks say.

use super::{dump, rows_of};
use crate::watched::Watched;
use proptest::prelude::*;
use sessiond::domain::ids::{AppId, UserId};
use sessiond::domain::time::UnixMillis;
use sessiond::store::activity::count::{self, Level};
use sessiond::store::memory::MemoryEngine;
use sessiond::store::{Engine, Keyspace, activity, tallies};
use std::collections::BTreeMap;

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

fn app(name: &str) -> AppId {
    AppId { connection_uri_domain: String::new(), app_id: name.to_owned() }
}

fn user(number: u64) -> UserId {
    UserId::new(format!("u{number}"))
}

async fn put(engine: &dyn Engine, app: &AppId, marks: impl IntoIterator<Item = (UserId, u64)>) {
    let mut tx = engine.begin();
    for (user, at) in marks {
        activity::put(tx.as_mut(), app, &user, UnixMillis(at)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn since(engine: &dyn Engine, app: &AppId, moment: u64) -> u64 {
    let mut tx = engine.begin();
    let days = count::days(tx.as_mut(), app).await.unwrap();
    count::since(tx.as_mut(), app, &days, UnixMillis(moment)).await.unwrap()
}

#[derive(Debug, Clone)]
enum Step {
    Mark(u64, u64),
    Remove(u64),
    Rename(u64, u64),
}

/// Moments at the edges of slots, and beside them; also such as only a wrong clock shows.
fn moment() -> impl Strategy<Value = u64> {
    let edge = prop_oneof![Just(0), Just(DAY), Just(DAY / 24), Just(5 * MINUTE), Just(20_000 * DAY), Just(1_u64 << 62)];
    (edge, 0..40_u64, prop_oneof![Just(0), Just(1), Just(5 * MINUTE - 1), 0..2 * DAY])
        .prop_map(|(edge, slots, beside)| edge + slots * 5 * MINUTE + beside)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_u64, moment()).prop_map(|(user, at)| Step::Mark(user, at)),
        1 => (0..6_u64).prop_map(Step::Remove),
        1 => (0..6_u64, 0..6_u64).prop_map(|(from, to)| Step::Rename(from, to)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_counters_are_always_those_of_the_marks(
        transactions in prop::collection::vec(prop::collection::vec(step(), 1..4), 1..16),
        moments in prop::collection::vec(moment(), 8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let engine = MemoryEngine::new();
            tallies::establish(&engine).await.unwrap();
            let base = AppId::base();
            let mut marks = BTreeMap::new();
            for steps in &transactions {
                let mut tx = engine.begin();
                for step in steps {
                    match *step {
                        Step::Mark(who, at) => {
                            activity::put(tx.as_mut(), &base, &user(who), UnixMillis(at)).await.unwrap();
                            marks.insert(who, at);
                        }
                        Step::Remove(who) => {
                            activity::remove_user(tx.as_mut(), &base, &user(who)).await.unwrap();
                            marks.remove(&who);
                        }
                        Step::Rename(from, to) => {
                            activity::rename_user(tx.as_mut(), &base, &user(from), &user(to)).await.unwrap();
                            if let Some(at) = marks.remove(&from) {
                                marks.insert(to, at);
                            }
                        }
                    }
                }
                tx.commit().await.unwrap();
            }
            let fresh = MemoryEngine::new();
            tallies::establish(&fresh).await.unwrap();
            put(&fresh, &base, marks.iter().map(|(who, at)| (user(*who), *at))).await;
            prop_assert_eq!(dump(&engine).await, dump(&fresh).await);
            prop_assert_eq!(activity::check(&engine).await.unwrap().broken, 0);
            for moment in moments.into_iter().chain(marks.values().copied()).chain([0, u64::MAX]) {
                let begin = moment - moment % (5 * MINUTE);
                let expected = marks.values().filter(|at| **at >= begin).count() as u64;
                prop_assert_eq!(since(&engine, &base, moment).await, expected, "{}", moment);
            }
            Ok(())
        })?;
    }
}

/// A folder as an earlier version left it: marks, and no counters or wrong ones.
async fn forget_counters(engine: &dyn Engine, wrong: bool) {
    let mut tx = engine.begin();
    for (key, _) in rows_of(engine, Keyspace::Meta).await {
        if tallies::is_note(&key) {
            tx.delete(key);
        }
    }
    for (key, _) in rows_of(engine, Keyspace::ActiveUserCount).await {
        tx.delete(key);
    }
    if wrong {
        tx.add(count::key(&app("a"), Level::Hour, 3), 7);
        tx.add(count::key(&app("gone"), Level::Day, 3), 7);
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn marks_of_a_store_without_counters_are_counted_once() {
    let engine = MemoryEngine::new();
    tallies::establish(&engine).await.unwrap();
    for name in ["a", "b"] {
        put(&engine, &app(name), (0..2000).map(|n| (user(n), n * MINUTE))).await;
    }
    let kept = dump(&engine).await;
    assert_eq!(kept.keys().filter(|key| tallies::is_note(key)).count(), 2, "salvage leaves these out");
    for wrong in [false, true] {
        forget_counters(&engine, wrong).await;
        assert_eq!(activity::check(&engine).await.unwrap().broken, 0, "a folder that no server has opened is sound");
        tallies::establish(&engine).await.unwrap();
        assert!(dump(&engine).await == kept);
    }
    let commits = engine.stats().commits;
    tallies::establish(&engine).await.unwrap();
    assert_eq!(engine.stats().commits, commits);
}

#[tokio::test]
async fn a_count_of_very_many_that_is_cut_off_begins_anew() {
    let engine = Watched::default();
    tallies::establish(&engine).await.unwrap();
    for name in ["a", "b", "c"] {
        put(&engine, &app(name), (0..11_000).map(|n| (user(n), n * 5 * MINUTE))).await;
    }
    let kept = dump(&engine).await;
    forget_counters(&engine, false).await;
    // The users are counted, one app's marks, and then the process ends.
    engine.left.set(3);
    tallies::establish(&engine).await.unwrap_err();
    engine.left.set(0);
    assert!(!rows_of(&engine, Keyspace::ActiveUserCount).await.is_empty());
    tallies::establish(&engine).await.unwrap();
    assert!(dump(&engine).await == kept);
}

#[tokio::test]
async fn the_check_names_counters_that_are_wrong() {
    let engine = MemoryEngine::new();
    tallies::establish(&engine).await.unwrap();
    put(&engine, &app("a"), (0..3).map(|n| (user(n), n * DAY))).await;
    put(&engine, &app("b"), [(user(0), DAY)]).await;
    let change = async |app_id: &str, level, slot, by| {
        let mut tx = engine.begin();
        tx.add(count::key(&app(app_id), level, slot), by);
        tx.commit().await.unwrap();
        activity::check(&engine).await.unwrap().described
    };
    for (name, level, slot, counter, marks) in [
        ("a", Level::Day, 1, 3, 1),
        ("b", Level::FiveMinutes, 288, 0, 1),
        ("b", Level::Hour, 23, 1, 0),
        ("nowhere", Level::Hour, 5, -1, 0),
    ] {
        let key = count::key(&app(name), level, slot);
        let named = format!("{key} is {counter}, but there are {marks} marks");
        assert_eq!(change(name, level, slot, counter - marks).await, [named]);
        assert_eq!(change(name, level, slot, marks - counter).await, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_beside_live_marks_finds_nothing() {
    let engine = std::sync::Arc::new(MemoryEngine::new());
    tallies::establish(&*engine).await.unwrap();
    put(&*engine, &app("a"), (0..3000).map(|n| (user(n), n * MINUTE))).await;
    let writer = std::sync::Arc::clone(&engine);
    let marking = tokio::spawn(async move {
        for n in 0..3000 {
            put(&*writer, &app("a"), [(user(n * 7 % 3000), (3000 + n / 100) * MINUTE)]).await;
        }
    });
    while !marking.is_finished() {
        assert_eq!(activity::check(&*engine).await.unwrap().described, [""; 0]);
    }
    marking.await.unwrap();
}
