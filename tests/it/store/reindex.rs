//! Disk space that is given back while serving.

use super::{Contents, dump, fill, options, remove_some, scratch, sled_engine};
use sessiond::store::data_folder::check;
use sessiond::store::maintenance::NoAudit;
use sessiond::store::sled::{self, Options, SledEngine, Start};
use sessiond::store::{Engine, Key, Keyspace, Progress, StoreError};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn bytes_in(folder: &Path) -> u64 {
    let inside = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    inside
        .map(|entry| if entry.path().is_dir() { bytes_in(&entry.path()) } else { entry.metadata().unwrap().len() })
        .sum()
}

/// Any index that is mostly empty is rebuilt. Rows go into it at once, because the memtable would avoid most of the
/// waste.
fn eager() -> Options {
    Options { reindex_above_bytes: 0, memtable_bytes: 0, ..options() }
}

/// Rows that are overwritten again and again, each time with mostly new content.
async fn churn(engine: &dyn Engine) {
    for round in 0..30_u64 {
        let mut tx = engine.begin();
        for row in 0..400_u64 {
            let value: Vec<u8> = (0..125).flat_map(|n| (round * 7919 + row * 31 + n).to_be_bytes()).collect();
            tx.put(Key::of(Keyspace::Meta).raw(&row.to_be_bytes()), value);
        }
        tx.commit().await.unwrap();
    }
}

async fn found_again(path: &Path, expected: &Contents, start: Start) {
    let (engine, report) = sled::open(path, &options()).unwrap();
    assert_eq!((report.start, report.notes.as_slice()), (start, [].as_slice()));
    assert!(dump(&engine).await == *expected);
    engine.close().await.unwrap();
    let report = check(path, &mut NoAudit, &|_| {}).unwrap();
    assert!(report.findings.iter().all(|finding| finding.what.contains("checksum")), "{report:?}");
}

#[tokio::test]
async fn reclaiming_makes_an_index_of_mostly_air_small_and_says_how_far_it_is() {
    let folder = scratch();
    let (engine, _) = sled::open(folder.path(), &eager()).unwrap();
    churn(&engine).await;
    engine.snapshot().unwrap();
    let (expected, before) = (dump(&engine).await, bytes_in(&folder.path().join("index")));
    let said = Mutex::new(Vec::new());
    engine.reclaim(&|progress: Progress| said.lock().unwrap().push(progress)).unwrap();
    let after = bytes_in(&folder.path().join("index"));
    assert!(after * 2 < before, "{before} bytes before, {after} after");
    assert!(dump(&engine).await == expected);
    let said = said.into_inner().unwrap();
    assert!(said.iter().all(|said| said.done <= said.total && said.stage == "rebuilding the index"), "{said:?}");
    assert!(said.last().is_some_and(|last| last.done == last.total), "{said:?}");
    engine.close().await.unwrap();
    found_again(folder.path(), &expected, Start::Clean).await;
}

#[tokio::test]
async fn reclaiming_leaves_a_small_or_full_index_as_it_is() {
    let untouched = |options: Options| async move {
        let folder = scratch();
        let (engine, _) = sled::open(folder.path(), &options).unwrap();
        churn(&engine).await;
        engine.snapshot().unwrap();
        let before = fs::metadata(folder.path().join("index/db")).unwrap();
        engine.reclaim(&|progress| panic!("{progress:?}")).unwrap();
        use std::os::unix::fs::MetadataExt as _;
        assert_eq!(fs::metadata(folder.path().join("index/db")).unwrap().ino(), before.ino());
    };
    untouched(Options { reindex_above_bytes: 1 << 40, ..options() }).await;
    untouched(options()).await;
}

#[tokio::test]
async fn an_index_of_mostly_air_is_written_anew_by_itself() {
    let folder = scratch();
    let often = Options { snapshot_after_bytes: 1 << 20, reindex_after: Duration::ZERO, ..eager() };
    let (engine, _) = sled::open(folder.path(), &often).unwrap();
    let began = Instant::now();
    use std::os::unix::fs::MetadataExt as _;
    let file = || fs::metadata(folder.path().join("index/db")).map(|data| data.ino()).ok();
    let first = file();
    while file().is_none() || file() == first {
        assert!(began.elapsed() < Duration::from_secs(60), "the index was never rebuilt");
        churn(&engine).await;
    }
    let expected = dump(&engine).await;
    engine.close().await.unwrap();
    found_again(folder.path(), &expected, Start::Clean).await;
}

/// Counts up in rows of its own, in transactions that must see the last write; returns the sum of all counts.
async fn count(engine: Arc<SledEngine>, who: u8, stop: Arc<AtomicBool>) -> u64 {
    let mut counted = 0;
    while !stop.load(Ordering::Relaxed) {
        let mut tx = engine.begin();
        let keys = [0, 1, 2].map(|row| Key::of(Keyspace::Meta).raw(&[who, row]));
        for key in keys {
            let old = tx.get(&key).await.unwrap().map_or(0, |old| u64::from_be_bytes(old.try_into().unwrap()));
            assert_eq!(old, counted, "a count was lost, or an old one came back");
            tx.put(key, (counted + 1).to_be_bytes().to_vec());
        }
        // Larger than one chunk, and deleted again by the next write.
        let large = Key::of(Keyspace::Timeline).raw(&[who]);
        match counted % 16 {
            0 => tx.put(large, vec![who; 70_000]),
            8 => tx.delete(large),
            _ => {}
        }
        tx.commit().await.unwrap();
        counted += 1;
        // As much traffic as a test can afford.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    counted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn compacting_beside_the_traffic_loses_no_write_and_shows_no_old_row() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    let still = fill(engine.as_ref(), 0..300).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4).map(|who| tokio::spawn(count(Arc::clone(&engine), who, Arc::clone(&stop)))).collect();
    let (reads, reading) = (Arc::new(AtomicU64::new(0)), Arc::clone(&engine));
    let (seen, read, ended) = (still.clone(), Arc::clone(&reads), Arc::clone(&stop));
    let reader = tokio::spawn(async move {
        while !ended.load(Ordering::Relaxed) {
            let mut now = dump(reading.as_ref()).await;
            now.retain(|key, _| seen.contains_key(key));
            assert!(now == seen);
            read.fetch_add(1, Ordering::Relaxed);
        }
    });
    let compacting = Arc::clone(&engine);
    let compactions = tokio::task::spawn_blocking(move || {
        let records = |_| compacting.compact(&|_| {}).map(|report| report.records);
        (0..4).map(records).collect::<Result<Vec<_>, _>>()
    });
    let compactions = compactions.await.unwrap();
    stop.store(true, Ordering::Relaxed);
    let compactions = compactions.unwrap();
    let mut counted = 0;
    for writer in writers {
        counted += writer.await.unwrap();
    }
    reader.await.unwrap();
    assert!(
        counted > 50 && reads.load(Ordering::Relaxed) > 1,
        "{counted} counts: too little traffic to prove anything"
    );
    assert!(compactions.iter().all(|records| *records >= still.len() as u64), "{compactions:?}");
    let expected = dump(engine.as_ref()).await;
    let report = engine.check(&mut NoAudit, &|_| {}).unwrap();
    assert!(report.findings.iter().all(|finding| finding.what.contains("checksum")), "{report:?}");
    engine.close().await.unwrap();
    found_again(folder.path(), &expected, Start::Clean).await;
}

#[tokio::test]
async fn a_store_that_ends_in_the_middle_of_a_compaction_is_whole() {
    for pause in [0, 5, 20, 60, 150] {
        let folder = scratch();
        let engine = sled_engine(folder.path());
        fill(engine.as_ref(), 0..200).await;
        remove_some(engine.as_ref()).await;
        let expected = dump(engine.as_ref()).await;
        let compacting = Arc::clone(&engine);
        let compaction = std::thread::spawn(move || compacting.compact(&|_| {}));
        tokio::time::sleep(Duration::from_millis(pause)).await;
        engine.close().await.unwrap();
        let ended = compaction.join().unwrap();
        assert!(matches!(ended, Ok(_) | Err(StoreError::Stopped { .. })), "{ended:?}");
        found_again(folder.path(), &expected, Start::Clean).await;
        assert!(!folder.path().join("index.new").exists() && !folder.path().join("index.old").exists());
    }
}

#[tokio::test]
async fn an_index_that_cannot_be_put_in_its_place_is_no_clean_stop() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    fill(engine.as_ref(), 0..300).await;
    let (building, in_the_way) = (folder.path().join("index.new"), folder.path().join("index.old"));
    let no_folder = in_the_way.clone();
    let blocker = std::thread::spawn(move || {
        while !building.exists() {
            std::thread::yield_now();
        }
        fs::write(no_folder, "").unwrap();
    });
    let error = engine.compact(&|_| {}).unwrap_err();
    blocker.join().unwrap();
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    // The new index is in use under the wrong name, and the old one is where the next start looks.
    let expected = fill(engine.as_ref(), 300..350).await;
    engine.close().await.unwrap();
    assert!(!folder.path().join("clean").exists());
    fs::remove_file(in_the_way).unwrap();
    found_again(folder.path(), &expected, Start::Verified).await;
}

#[tokio::test]
async fn a_compaction_without_the_space_for_it_changes_nothing() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    for round in 0..3 {
        fill(engine.as_ref(), round * 60..round * 60 + 60).await;
        engine.snapshot().unwrap();
    }
    let expected = dump(engine.as_ref()).await;
    engine.close().await.unwrap();
    let snapshots = bytes_in(&folder.path().join("snapshot"));
    let full = Options { reserve_bytes: u64::MAX / 4, ..options() };
    let error = sled::maintenance::compact(folder.path(), &full, &|_| {}).unwrap_err();
    assert!(matches!(&error, StoreError::Unusable { what, .. } if what.contains("are not free")), "{error}");
    assert_eq!(bytes_in(&folder.path().join("snapshot")), snapshots);
    found_again(folder.path(), &expected, Start::Clean).await;
}
