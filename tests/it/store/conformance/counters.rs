//! Counters: what every engine must do.

use super::{get, is_conflict, key, put};
use sessiond::store::limits::MAX_KEY;
use sessiond::store::{CommitError, Engine, Key, Keyspace, Scan, StoreError, counter};
use std::sync::Arc;

async fn count(engine: &Arc<dyn Engine>, name: &str) -> i64 {
    counter::get(engine.begin().as_mut(), &key(name)).await.unwrap()
}

pub(super) async fn additions_from_many_threads_are_all_counted_and_never_conflict(engine: Arc<dyn Engine>) {
    let tasks = (0..8_i64).map(|task| {
        let engine = Arc::clone(&engine);
        tokio::spawn(async move {
            for n in 0..40 {
                let mut tx = engine.begin();
                tx.add(key("all"), task + 1);
                tx.add(key("up and down"), if n % 2 == 0 { 3 } else { -3 });
                tx.put(key(&format!("beside {task} {n}")), Vec::new());
                tx.commit().await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!((count(&engine, "all").await, count(&engine, "up and down").await), (36 * 40, 0));
    assert_eq!(get(&engine, &key("up and down")).await, None, "a counter at 0 is not there");
    assert_eq!(engine.stats().conflicts, 0);
}

pub(super) async fn a_transaction_reads_its_own_additions(engine: Arc<dyn Engine>) {
    let mut tx = engine.begin();
    for (delta, seen) in [(5, 5), (-7, -2), (0, -2), (i64::MIN, i64::MIN), (4, i64::MIN + 4)] {
        tx.add(key("n"), delta);
        assert_eq!(counter::get(tx.as_mut(), &key("n")).await.unwrap(), seen);
    }
    tx.delete(key("n"));
    assert_eq!(tx.get(&key("n")).await.unwrap(), None);
    tx.add(key("n"), 9);
    assert_eq!(counter::get(tx.as_mut(), &key("n")).await.unwrap(), 9);
    let nine = tx.get(&key("n")).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(&engine, "n").await, 9);

    let mut tx = engine.begin();
    tx.add(key("n"), 2);
    // A scan shows what is stored.
    let all = Scan { start: Key::of(Keyspace::Session), end: None, reverse: false, limit: 9 };
    assert_eq!(tx.scan(&all).await.unwrap(), [(key("n"), nine.clone())]);
    tx.put(key("n"), nine);
    tx.add(key("n"), 1);
    tx.add(key("gone"), 1);
    tx.add(key("gone"), -1);
    tx.commit().await.unwrap();
    assert_eq!((count(&engine, "n").await, get(&engine, &key("gone")).await), (10, None));

    let mut tx = engine.begin();
    tx.add(key("n"), -10);
    tx.commit().await.unwrap();
    assert_eq!(get(&engine, &key("n")).await, None);
}

pub(super) async fn an_addition_is_a_conflict_for_who_has_read(engine: Arc<dyn Engine>) {
    for first in 0..2 {
        let mut reader = engine.begin();
        assert_eq!(counter::get(reader.as_mut(), &key("n")).await.unwrap(), first);
        reader.add(key("n"), 100);
        let mut tx = engine.begin();
        tx.add(key("n"), 1);
        tx.commit().await.unwrap();
        is_conflict(reader.commit().await);
    }
    assert_eq!(count(&engine, "n").await, 2);
}

pub(super) async fn an_addition_to_what_is_no_counter_changes_nothing(engine: Arc<dyn Engine>) {
    put(&engine, key("text"), b"not a number").await;
    let mut tx = engine.begin();
    tx.add(key("number"), 1);
    tx.add(key("text"), 1);
    tx.put(key("other"), Vec::new());
    let error = tx.commit().await.unwrap_err();
    assert!(matches!(error, CommitError::Store(StoreError::Damaged { .. })), "{error}");
    assert_eq!((count(&engine, "number").await, get(&engine, &key("other")).await), (0, None));
    let mut tx = engine.begin();
    tx.add(key("text"), 1);
    assert!(matches!(tx.get(&key("text")).await, Err(StoreError::Damaged { .. })));
    let mut tx = engine.begin();
    tx.add(key(&"k".repeat(MAX_KEY)), 1);
    assert!(matches!(tx.commit().await, Err(CommitError::Store(StoreError::TooLarge { .. }))));
    let mut tx = engine.begin();
    tx.add(key("number"), 1);
    tx.commit().await.unwrap();
    assert_eq!(count(&engine, "number").await, 1);
}
