//! What every engine must do, run against each of them.

mod counters;

use counters::{
    a_transaction_reads_its_own_additions, additions_from_many_threads_are_all_counted_and_never_conflict,
    an_addition_is_a_conflict_for_who_has_read, an_addition_to_what_is_no_counter_changes_nothing,
};
use sessiond::store::codec::MAX_RECORD;
use sessiond::store::limits::{MAX_KEY, MAX_TRANSACTION};
use sessiond::store::memory::MemoryEngine;
use sessiond::store::{CommitError, Engine, Key, Keyspace, Scan, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;

type Rows = Vec<(Key, Vec<u8>)>;

/// Runs each rule against each engine, as one test per pair.
macro_rules! conformance {
    ($($rule:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                super::$rule(std::sync::Arc::new(super::MemoryEngine::new())).await;
            })*
        }

        mod sled {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                let folder = crate::store::scratch();
                super::$rule(crate::store::sled_engine(folder.path())).await;
            })*
        }

        /// Every commit goes from the memtable into the index at once.
        mod sled_flushing {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                let folder = crate::store::scratch();
                let options = sessiond::store::sled::Options { memtable_bytes: 0, ..crate::store::options() };
                let (engine, _) = sessiond::store::sled::open(folder.path(), &options).unwrap();
                super::$rule(std::sync::Arc::new(engine)).await;
            })*
        }
    };
}

conformance!(
    a_read_sees_committed_writes_only,
    a_transaction_reads_its_own_writes,
    a_commit_applies_all_or_nothing,
    a_changed_read_is_a_conflict,
    an_absent_key_that_appeared_is_a_conflict,
    a_present_key_that_vanished_is_a_conflict,
    many_keys_are_read_as_each_of_them,
    what_was_read_with_others_is_checked_too,
    a_read_only_commit_is_checked_too,
    a_value_that_changed_between_two_reads_is_a_conflict,
    a_value_rewritten_with_the_same_bytes_is_a_conflict,
    blind_writes_never_conflict,
    increments_from_many_threads_are_never_lost,
    money_moved_between_threads_stays_constant,
    a_unique_point_key_is_won_once,
    scans_go_both_ways_with_limits,
    scans_merge_own_writes,
    scans_stay_in_their_keyspace,
    big_values_and_empty_ones_read_back,
    a_big_value_shrinks_grows_and_goes,
    empty_keys_and_zero_bytes_are_keys,
    apps_and_tenants_are_side_by_side,
    too_large_is_refused_and_changes_nothing,
    deleting_nothing_is_fine,
    additions_from_many_threads_are_all_counted_and_never_conflict,
    a_transaction_reads_its_own_additions,
    an_addition_is_a_conflict_for_who_has_read,
    an_addition_to_what_is_no_counter_changes_nothing,
    a_closed_engine_refuses_writes_by_name,
);

fn key(name: &str) -> Key {
    Key::of(Keyspace::Session).text(name)
}

async fn put(engine: &Arc<dyn Engine>, key: Key, value: &[u8]) {
    let mut tx = engine.begin();
    tx.put(key, value.to_vec());
    tx.commit().await.unwrap();
}

async fn get(engine: &Arc<dyn Engine>, key: &Key) -> Option<Vec<u8>> {
    engine.begin().get(key).await.unwrap()
}

async fn scan(engine: &Arc<dyn Engine>, start: &Key, end: Option<&Key>, reverse: bool, limit: usize) -> Rows {
    let scan = Scan { start: start.clone(), end: end.cloned(), reverse, limit };
    engine.begin().scan(&scan).await.unwrap()
}

fn is_conflict(result: Result<(), CommitError>) {
    let error = result.unwrap_err();
    assert!(matches!(error, CommitError::Conflict), "{error}");
}

async fn a_read_sees_committed_writes_only(engine: Arc<dyn Engine>) {
    let mut writer = engine.begin();
    writer.put(key("a"), b"1".to_vec());
    assert_eq!(get(&engine, &key("a")).await, None);
    writer.commit().await.unwrap();
    assert_eq!(get(&engine, &key("a")).await, Some(b"1".to_vec()));
    let mut dropped = engine.begin();
    dropped.put(key("a"), b"2".to_vec());
    drop(dropped);
    assert_eq!(get(&engine, &key("a")).await, Some(b"1".to_vec()));
}

async fn a_transaction_reads_its_own_writes(engine: Arc<dyn Engine>) {
    put(&engine, key("a"), b"old").await;
    let mut tx = engine.begin();
    tx.put(key("a"), b"new".to_vec());
    assert_eq!(tx.get(&key("a")).await.unwrap(), Some(b"new".to_vec()));
    tx.delete(key("a"));
    assert_eq!(tx.get(&key("a")).await.unwrap(), None);
    tx.put(key("a"), b"newest".to_vec());
    tx.commit().await.unwrap();
    assert_eq!(get(&engine, &key("a")).await, Some(b"newest".to_vec()));
}

async fn a_commit_applies_all_or_nothing(engine: Arc<dyn Engine>) {
    put(&engine, key("guard"), b"1").await;
    let mut tx = engine.begin();
    tx.get(&key("guard")).await.unwrap();
    tx.put(key("a"), b"a".to_vec());
    tx.delete(key("guard"));
    put(&engine, key("guard"), b"2").await;
    is_conflict(tx.commit().await);
    assert_eq!(get(&engine, &key("a")).await, None);
    assert_eq!(get(&engine, &key("guard")).await, Some(b"2".to_vec()));
    let mut tx = engine.begin();
    for n in 0..100 {
        tx.put(key(&format!("many{n}")), vec![n]);
    }
    tx.delete(key("guard"));
    tx.commit().await.unwrap();
    for n in 0..100 {
        assert_eq!(get(&engine, &key(&format!("many{n}"))).await, Some(vec![n]));
    }
    assert_eq!(get(&engine, &key("guard")).await, None);
}

async fn a_changed_read_is_a_conflict(engine: Arc<dyn Engine>) {
    put(&engine, key("a"), b"1").await;
    let mut tx = engine.begin();
    tx.get(&key("a")).await.unwrap();
    tx.put(key("b"), b"x".to_vec());
    put(&engine, key("a"), b"2").await;
    is_conflict(tx.commit().await);
    assert_eq!(engine.stats().conflicts, 1);
}

async fn an_absent_key_that_appeared_is_a_conflict(engine: Arc<dyn Engine>) {
    let mut tx = engine.begin();
    assert_eq!(tx.get(&key("a")).await.unwrap(), None);
    tx.put(key("a"), b"mine".to_vec());
    put(&engine, key("a"), b"theirs").await;
    is_conflict(tx.commit().await);
    assert_eq!(get(&engine, &key("a")).await, Some(b"theirs".to_vec()));
}

async fn a_present_key_that_vanished_is_a_conflict(engine: Arc<dyn Engine>) {
    put(&engine, key("a"), b"1").await;
    let mut tx = engine.begin();
    tx.get(&key("a")).await.unwrap();
    tx.put(key("a"), b"2".to_vec());
    let mut other = engine.begin();
    other.delete(key("a"));
    other.commit().await.unwrap();
    is_conflict(tx.commit().await);
    assert_eq!(get(&engine, &key("a")).await, None);
}

async fn many_keys_are_read_as_each_of_them(engine: Arc<dyn Engine>) {
    let mut tx = engine.begin();
    for number in (0..200).filter(|number| number % 7 != 0) {
        let value = if number % 50 == 1 { vec![7; 100_000] } else { vec![1; number] };
        tx.put(key(&format!("{number:03}")), value);
    }
    tx.commit().await.unwrap();
    let mut tx = engine.begin();
    tx.put(key("010"), b"own".to_vec());
    tx.delete(key("011"));
    tx.put(key("new"), b"own".to_vec());
    // Adjacent, far apart, backwards, twice, never written, past the last.
    let mut wanted: Vec<_> =
        (0..40).chain([199, 120, 60, 61, 61, 3]).map(|number| key(&format!("{number:03}"))).collect();
    wanted.extend([key("new"), key("zzz"), key("")]);
    let together = tx.get_many(&wanted).await.unwrap();
    assert_eq!(together.len(), wanted.len());
    for (key, value) in wanted.iter().zip(together) {
        assert_eq!(value, tx.get(key).await.unwrap(), "{key:?}");
    }
    assert_eq!(tx.get_many(&[]).await.unwrap(), Vec::<Option<Vec<u8>>>::new());
}

async fn what_was_read_with_others_is_checked_too(engine: Arc<dyn Engine>) {
    put(&engine, key("a"), b"1").await;
    for changed in ["a", "never"] {
        let mut tx = engine.begin();
        tx.get_many(&[key("a"), key("b"), key("never")]).await.unwrap();
        tx.put(key("c"), b"x".to_vec());
        put(&engine, key(changed), b"2").await;
        is_conflict(tx.commit().await);
    }
}

async fn a_read_only_commit_is_checked_too(engine: Arc<dyn Engine>) {
    put(&engine, key("a"), b"1").await;
    let mut same = engine.begin();
    same.get(&key("a")).await.unwrap();
    same.get(&key("absent")).await.unwrap();
    let mut stale = engine.begin();
    stale.get(&key("a")).await.unwrap();
    same.commit().await.unwrap();
    put(&engine, key("a"), b"2").await;
    is_conflict(stale.commit().await);
}

async fn a_value_that_changed_between_two_reads_is_a_conflict(engine: Arc<dyn Engine>) {
    put(&engine, key("a"), b"1").await;
    let mut tx = engine.begin();
    tx.get(&key("a")).await.unwrap();
    put(&engine, key("a"), b"2").await;
    tx.get(&key("a")).await.unwrap();
    is_conflict(tx.commit().await);
}

async fn a_value_rewritten_with_the_same_bytes_is_a_conflict(engine: Arc<dyn Engine>) {
    put(&engine, key("a"), b"1").await;
    let mut tx = engine.begin();
    tx.get(&key("a")).await.unwrap();
    put(&engine, key("a"), b"2").await;
    put(&engine, key("a"), b"1").await;
    is_conflict(tx.commit().await);
}

async fn blind_writes_never_conflict(engine: Arc<dyn Engine>) {
    let mut first = engine.begin();
    let mut second = engine.begin();
    first.put(key("a"), b"1".to_vec());
    second.put(key("a"), b"2".to_vec());
    second.commit().await.unwrap();
    first.commit().await.unwrap();
    assert_eq!(get(&engine, &key("a")).await, Some(b"1".to_vec()));
}

async fn increments_from_many_threads_are_never_lost(engine: Arc<dyn Engine>) {
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let engine = Arc::clone(&engine);
            tokio::spawn(async move {
                let mut done = 0;
                while done < 50 {
                    let mut tx = engine.begin();
                    let old = tx.get(&key("counter")).await.unwrap();
                    let old = old.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
                    tx.put(key("counter"), (old + 1).to_be_bytes().to_vec());
                    match tx.commit().await {
                        Ok(()) => done += 1,
                        Err(CommitError::Conflict) => tokio::task::yield_now().await,
                        Err(CommitError::Store(error)) => panic!("{error}"),
                    }
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(get(&engine, &key("counter")).await, Some(400_u64.to_be_bytes().to_vec()));
}

async fn money_moved_between_threads_stays_constant(engine: Arc<dyn Engine>) {
    for n in 0..4 {
        put(&engine, key(&format!("account{n}")), &100_i64.to_be_bytes()).await;
    }
    let balance = |bytes: Option<Vec<u8>>| i64::from_be_bytes(bytes.unwrap().try_into().unwrap());
    let workers: Vec<_> = (0..4)
        .map(|me: usize| {
            let engine = Arc::clone(&engine);
            tokio::spawn(async move {
                for step in 0..60 {
                    let (from, to) =
                        (key(&format!("account{me}")), key(&format!("account{}", (me + 1 + step % 3) % 4)));
                    let mut tx = engine.begin();
                    let taken = balance(tx.get(&from).await.unwrap()) - 7;
                    let given = balance(tx.get(&to).await.unwrap()) + 7;
                    tx.put(from, taken.to_be_bytes().to_vec());
                    tx.put(to, given.to_be_bytes().to_vec());
                    let outcome = tx.commit().await;
                    assert!(!matches!(outcome, Err(CommitError::Store(_))), "{outcome:?}");
                }
            })
        })
        .collect();
    // A consistent view: reads that commit unchanged belong to the same point in time.
    let mut views = 0;
    while views < 20 || workers.iter().any(|worker| !worker.is_finished()) {
        let mut tx = engine.begin();
        let mut sum = 0;
        for n in 0..4 {
            sum += balance(tx.get(&key(&format!("account{n}"))).await.unwrap());
        }
        if tx.commit().await.is_ok() {
            assert_eq!(sum, 400);
            views += 1;
        }
        tokio::task::yield_now().await;
    }
    for worker in workers {
        worker.await.unwrap();
    }
}

async fn a_unique_point_key_is_won_once(engine: Arc<dyn Engine>) {
    let workers: Vec<_> = (0..16)
        .map(|n: u8| {
            let engine = Arc::clone(&engine);
            tokio::spawn(async move {
                let mut tx = engine.begin();
                if tx.get(&key("unique")).await.unwrap().is_some() {
                    return false;
                }
                tx.put(key("unique"), vec![n]);
                tx.commit().await.is_ok()
            })
        })
        .collect();
    let mut winners = 0;
    for worker in workers {
        winners += usize::from(worker.await.unwrap());
    }
    assert_eq!(winners, 1);
}

async fn scans_go_both_ways_with_limits(engine: Arc<dyn Engine>) {
    let mut tx = engine.begin();
    for n in 0..50 {
        tx.put(key("list").raw(&[n]), vec![n]);
    }
    tx.commit().await.unwrap();
    let (start, end) = (key("list").raw(&[10]), key("list").raw(&[20]));
    let values = |rows: Rows| rows.into_iter().map(|(_, value)| value[0]).collect::<Vec<_>>();
    let run = |end, reverse, limit| scan(&engine, &start, end, reverse, limit);
    assert_eq!(values(run(Some(&end), false, 100).await), (10..20).collect::<Vec<_>>());
    assert_eq!(values(run(Some(&end), true, 100).await), (10..20).rev().collect::<Vec<_>>());
    assert_eq!(values(run(Some(&end), false, 3).await), [10, 11, 12]);
    assert_eq!(values(run(Some(&end), true, 3).await), [19, 18, 17]);
    assert_eq!(values(run(None, false, 2).await), [10, 11]);
    assert_eq!(values(run(None, true, 2).await), [49, 48]);
    assert_eq!(values(run(Some(&end), false, 0).await), [0_u8; 0]);
    assert_eq!(values(run(Some(&start), false, 9).await), [0_u8; 0]);
    assert_eq!(values(run(Some(&key("a")), true, 9).await), [0_u8; 0]);
    let rows = scan(&engine, &start, Some(&end), false, 1).await;
    assert_eq!(rows[0].0, start);
}

async fn scans_merge_own_writes(engine: Arc<dyn Engine>) {
    let mut tx = engine.begin();
    for n in [1, 3, 5, 7, 9] {
        tx.put(key("list").raw(&[n]), vec![n]);
    }
    tx.commit().await.unwrap();
    let mut tx = engine.begin();
    tx.put(key("list").raw(&[0]), vec![100]);
    tx.delete(key("list").raw(&[3]));
    tx.put(key("list").raw(&[4]), vec![104]);
    tx.put(key("list").raw(&[5]), vec![105]);
    tx.delete(key("list").raw(&[6]));
    tx.put(key("list").raw(&[10]), vec![110]);
    tx.put(key("other"), vec![0]);
    let mut scan = Scan { start: key("list"), end: key("list").prefix_end(), reverse: false, limit: 100 };
    let values = |rows: Rows| rows.into_iter().map(|(_, value)| value[0]).collect::<Vec<_>>();
    assert_eq!(values(tx.scan(&scan).await.unwrap()), [100, 1, 104, 105, 7, 9, 110]);
    scan.limit = 3;
    assert_eq!(values(tx.scan(&scan).await.unwrap()), [100, 1, 104]);
    scan.reverse = true;
    assert_eq!(values(tx.scan(&scan).await.unwrap()), [110, 9, 7]);
    scan.limit = 100;
    assert_eq!(values(tx.scan(&scan).await.unwrap()), [110, 9, 7, 105, 104, 1, 100]);
}

async fn scans_stay_in_their_keyspace(engine: Arc<dyn Engine>) {
    for keyspace in Keyspace::ALL {
        let mut tx = engine.begin();
        tx.put(Key::of(keyspace), b"first".to_vec());
        tx.put(Key::of(keyspace).raw(&[0xFF; 20]), b"last".to_vec());
        tx.commit().await.unwrap();
    }
    for keyspace in Keyspace::ALL {
        for reverse in [false, true] {
            let rows = scan(&engine, &Key::of(keyspace), None, reverse, 100).await;
            assert_eq!(rows.len(), 2, "{keyspace:?}");
            assert!(rows.iter().all(|(key, _)| key.keyspace == keyspace));
        }
    }
}

async fn big_values_and_empty_ones_read_back(engine: Arc<dyn Engine>) {
    let sizes = [0, 1, 1000, 65_535, 65_536, 65_537, 200_000, 1 << 20, MAX_RECORD];
    let value = |size: usize| -> Vec<u8> { (0..size).map(|n| (n * 31 + size).to_le_bytes()[0]).collect() };
    for size in sizes {
        put(&engine, key("size").raw(&size.to_be_bytes()), &value(size)).await;
    }
    for size in sizes {
        let found = get(&engine, &key("size").raw(&size.to_be_bytes())).await;
        assert!(found == Some(value(size)), "value of {size} bytes");
    }
    let rows = scan(&engine, &key("size"), key("size").prefix_end().as_ref(), false, 100).await;
    assert_eq!(rows.iter().map(|(_, value)| value.len()).collect::<Vec<_>>(), sizes);
}

async fn a_big_value_shrinks_grows_and_goes(engine: Arc<dyn Engine>) {
    let neighbours = [key("big0"), key("big2")];
    for neighbour in &neighbours {
        put(&engine, neighbour.clone(), b"here").await;
    }
    for size in [300_000, 70_000, 10, 500_000, 65_536, 0, 1 << 20] {
        let value = vec![7; size];
        put(&engine, key("big1"), &value).await;
        assert!(get(&engine, &key("big1")).await == Some(value));
        let rows = scan(&engine, &Key::of(Keyspace::Session), None, false, 100).await;
        assert_eq!(rows.len(), 3);
    }
    let mut tx = engine.begin();
    tx.get(&key("big1")).await.unwrap();
    tx.delete(key("big1"));
    tx.commit().await.unwrap();
    assert_eq!(get(&engine, &key("big1")).await, None);
    assert_eq!(scan(&engine, &Key::of(Keyspace::Session), None, true, 100).await.len(), 2);
}

async fn empty_keys_and_zero_bytes_are_keys(engine: Arc<dyn Engine>) {
    let keys = [
        Key::of(Keyspace::Meta),
        Key::of(Keyspace::Meta).text(""),
        Key::of(Keyspace::Meta).text("").text(""),
        Key::of(Keyspace::Meta).text("\0"),
        Key::of(Keyspace::Meta).text("\0").text("a"),
        Key::of(Keyspace::Meta).text("\0\0"),
        Key::of(Keyspace::Meta).text("\u{1}"),
        Key::of(Keyspace::Meta).text("a"),
        Key::of(Keyspace::Meta).text("a\0b"),
        Key::of(Keyspace::Meta).text("ab"),
        Key::of(Keyspace::Meta).raw(&[0xFF, 0xFF]),
    ];
    for (n, key) in keys.iter().enumerate() {
        put(&engine, key.clone(), &[n.to_le_bytes()[0]]).await;
    }
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(get(&engine, key).await, Some(vec![n.to_le_bytes()[0]]), "{key}");
    }
    let rows = scan(&engine, &keys[0], None, false, 100).await;
    assert_eq!(rows.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(), keys, "byte order is tuple order");
}

async fn apps_and_tenants_are_side_by_side(engine: Arc<dyn Engine>) {
    let mut expected = BTreeMap::new();
    let mut tx = engine.begin();
    for app in ["", "a", "a\0", "ab", "public"] {
        for tenant in ["", "public", "t", "t1", "t\0"] {
            for n in 0..5_u8 {
                let key = Key::of(Keyspace::Session).text(app).text(tenant).raw(&[n; 16]);
                let value = format!("{app}/{tenant}/{n}").into_bytes();
                tx.put(key.clone(), value.clone());
                expected.insert(key, value);
            }
        }
    }
    tx.commit().await.unwrap();
    assert_eq!(expected.len(), 125);
    let prefix = Key::of(Keyspace::Session).text("a").text("t");
    let rows = scan(&engine, &prefix, prefix.prefix_end().as_ref(), false, 100).await;
    assert_eq!(
        rows.iter().map(|(_, value)| value.as_slice()).collect::<Vec<_>>(),
        [b"a/t/0", b"a/t/1", b"a/t/2", b"a/t/3", b"a/t/4"]
    );
    let app = Key::of(Keyspace::Session).text("a");
    assert_eq!(scan(&engine, &app, app.prefix_end().as_ref(), false, 100).await.len(), 25);
    let all = scan(&engine, &Key::of(Keyspace::Session), None, false, 1000).await;
    assert_eq!(all, expected.into_iter().collect::<Vec<_>>());
}

async fn too_large_is_refused_and_changes_nothing(engine: Arc<dyn Engine>) {
    let refused = |result: Result<(), CommitError>| {
        assert!(matches!(result, Err(CommitError::Store(StoreError::TooLarge { .. }))), "{result:?}");
    };
    let mut tx = engine.begin();
    tx.put(key("small"), vec![1]);
    tx.put(key("large"), vec![0; MAX_RECORD + 1]);
    refused(tx.commit().await);
    assert_eq!(get(&engine, &key("small")).await, None);
    let mut tx = engine.begin();
    tx.put(Key::of(Keyspace::Session).raw(&vec![1; MAX_KEY + 1]), vec![1]);
    refused(tx.commit().await);
    let longest = Key::of(Keyspace::Session).raw(&vec![1; MAX_KEY]);
    put(&engine, longest.clone(), b"fits").await;
    assert_eq!(get(&engine, &longest).await, Some(b"fits".to_vec()));
    let mut tx = engine.begin();
    for n in 0..=MAX_TRANSACTION / MAX_RECORD {
        tx.put(key("part").raw(&n.to_be_bytes()), vec![0; MAX_RECORD]);
    }
    refused(tx.commit().await);
}

async fn deleting_nothing_is_fine(engine: Arc<dyn Engine>) {
    let mut tx = engine.begin();
    tx.delete(key("never"));
    tx.commit().await.unwrap();
    engine.begin().commit().await.unwrap();
    assert_eq!(get(&engine, &key("never")).await, None);
}

async fn a_closed_engine_refuses_writes_by_name(engine: Arc<dyn Engine>) {
    put(&engine, key("a"), b"1").await;
    engine.close().await.unwrap();
    let mut tx = engine.begin();
    tx.put(key("a"), b"2".to_vec());
    let error = tx.commit().await.unwrap_err();
    assert!(matches!(error, CommitError::Store(StoreError::Stopped { .. })), "{error}");
}
