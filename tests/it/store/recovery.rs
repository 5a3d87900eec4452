//! Opening a folder: after a clean stop, after a crash, with something missing.

use super::{Contents, copy_folder, dump, fill, options, remove_some, scratch, sled_engine};
use sessiond::store::sled::{self, Start};
use sessiond::store::{Engine, StoreError};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn only_file(directory: &Path, suffix: &str) -> PathBuf {
    let mut found: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.to_string_lossy().ends_with(suffix));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Opens, compares, closes; returns the state in which the folder was found.
async fn expect(path: &Path, expected: &Contents) -> sled::RecoveryReport {
    let (engine, report) = sled::open(path, &options()).unwrap();
    assert!(dump(&engine).await == *expected, "contents differ: {report:?}");
    engine.close().await.unwrap();
    report
}

#[tokio::test]
async fn a_clean_stop_is_recognised_and_everything_is_there() {
    let folder = scratch();
    let (engine, report) = sled::open(folder.path(), &options()).unwrap();
    assert_eq!(report.start, Start::Fresh);
    let expected = fill(&engine, 0..200).await;
    engine.close().await.unwrap();
    for _ in 0..3 {
        let report = expect(folder.path(), &expected).await;
        assert_eq!((report.start, report.notes), (Start::Clean, vec![]));
    }
}

#[tokio::test]
async fn a_copy_of_a_folder_in_use_is_verified_and_whole() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    let expected = fill(engine.as_ref(), 0..200).await;
    let copy = scratch();
    copy_folder(folder.path(), copy.path());
    let report = expect(copy.path(), &expected).await;
    assert!(matches!(report.start, Start::Verified | Start::Rebuilt), "{report:?}");
    assert_eq!(expect(copy.path(), &expected).await.start, Start::Clean);
}

#[tokio::test]
async fn a_lost_index_is_rebuilt_from_journal_and_snapshot() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    fill(engine.as_ref(), 0..100).await;
    remove_some(engine.as_ref()).await;
    engine.snapshot().unwrap();
    fill(engine.as_ref(), 50..150).await;
    engine.snapshot().unwrap();
    remove_some(engine.as_ref()).await;
    fill(engine.as_ref(), 120..220).await;
    let expected = dump(engine.as_ref()).await;
    engine.close().await.unwrap();
    fs::remove_dir_all(folder.path().join("index")).unwrap();
    assert_eq!(expect(folder.path(), &expected).await.start, Start::Rebuilt);
    assert_eq!(expect(folder.path(), &expected).await.start, Start::Clean);
}

#[tokio::test]
async fn an_index_that_is_behind_is_brought_up_to_date() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    fill(engine.as_ref(), 0..100).await;
    engine.close().await.unwrap();
    let old_index = scratch();
    copy_folder(&folder.path().join("index"), old_index.path());
    let engine = sled_engine(folder.path());
    remove_some(engine.as_ref()).await;
    engine.snapshot().unwrap();
    let expected = fill(engine.as_ref(), 90..300).await;
    engine.close().await.unwrap();
    fs::remove_dir_all(folder.path().join("index")).unwrap();
    copy_folder(old_index.path(), &folder.path().join("index"));
    fs::remove_file(folder.path().join("clean")).unwrap();
    let report = expect(folder.path(), &expected).await;
    assert_eq!(report.start, Start::Verified, "{report:?}");
    assert!(report.repaired > 200, "{report:?}");
}

#[tokio::test]
async fn a_damaged_snapshot_is_replaced_by_the_one_before_and_a_longer_journal() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    fill(engine.as_ref(), 0..100).await;
    engine.snapshot().unwrap();
    fill(engine.as_ref(), 100..200).await;
    let newest = engine.snapshot().unwrap();
    let expected = fill(engine.as_ref(), 200..250).await;
    let copy = scratch();
    copy_folder(folder.path(), copy.path());
    let path = copy.path().join("snapshot").join(format!("{newest:020}.snap"));
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(&path, bytes).unwrap();
    fs::remove_dir_all(copy.path().join("index")).unwrap();
    let report = expect(copy.path(), &expected).await;
    assert_eq!(report.start, Start::Rebuilt);
    assert!(report.notes.iter().any(|note| note.contains("a damaged snapshot was set aside as")), "{report:?}");
}

#[tokio::test]
async fn the_journal_that_the_older_snapshot_needs_is_kept() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    let mut newest = 0;
    for round in 0..5 {
        fill(engine.as_ref(), round * 10..round * 10 + 10).await;
        newest = engine.snapshot().unwrap();
    }
    let expected = fill(engine.as_ref(), 50..55).await;
    let copy = scratch();
    copy_folder(folder.path(), copy.path());
    fs::write(copy.path().join("snapshot").join(format!("{newest:020}.snap")), "gone bad").unwrap();
    fs::remove_dir_all(copy.path().join("index")).unwrap();
    assert_eq!(expect(copy.path(), &expected).await.start, Start::Rebuilt);
}

#[tokio::test]
async fn a_journal_damaged_after_a_clean_stop_is_healed_from_the_index() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    let expected = fill(engine.as_ref(), 0..200).await;
    engine.close().await.unwrap();
    let segment = only_file(&folder.path().join("journal"), ".log");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[3000] ^= 1;
    fs::write(&segment, bytes).unwrap();
    assert_eq!(expect(folder.path(), &expected).await.start, Start::Healed);
    assert_eq!(expect(folder.path(), &expected).await.start, Start::Clean);
    fs::remove_dir_all(folder.path().join("index")).unwrap();
    assert_eq!(expect(folder.path(), &expected).await.start, Start::Rebuilt);
}

#[tokio::test]
async fn an_unfinished_write_at_the_end_is_cut_off_and_said() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    let expected = fill(engine.as_ref(), 0..50).await;
    let copy = scratch();
    copy_folder(folder.path(), copy.path());
    let segment = only_file(&copy.path().join("journal"), ".log");
    let mut bytes = fs::read(&segment).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap().next_multiple_of(8);
    bytes[end..end + 43].copy_from_slice(b"SFRM\x99\0\0\0garbage of a frame that never ended");
    fs::write(&segment, bytes).unwrap();
    let report = expect(copy.path(), &expected).await;
    assert!(report.notes.iter().any(|note| note.contains("an unfinished write")), "{report:?}");
    assert_eq!(expect(copy.path(), &expected).await.start, Start::Clean);
}

#[tokio::test]
async fn acknowledged_frames_that_are_gone_are_refused_by_name() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    fill(engine.as_ref(), 0..50).await;
    let copy = scratch();
    copy_folder(folder.path(), copy.path());
    let segment = only_file(&copy.path().join("journal"), ".log");
    let mut bytes = fs::read(&segment).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[end - 300..].fill(0);
    fs::write(&segment, bytes).unwrap();
    fs::remove_dir_all(copy.path().join("index")).unwrap();
    let error = sled::open(copy.path(), &options()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("sessiond restore"), "{error}");
}

#[tokio::test]
async fn a_second_process_is_told_who_holds_the_folder() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    let error = sled::open(folder.path(), &options()).unwrap_err();
    let me = std::process::id().to_string();
    assert!(matches!(&error, StoreError::Locked { pid, .. } if *pid == me), "{error}");
    engine.close().await.unwrap();
    sled::open(folder.path(), &options()).unwrap();
}

#[tokio::test]
async fn a_folder_of_something_else_is_left_alone() {
    let folder = scratch();
    fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    let error = sled::open(folder.path(), &options()).unwrap_err();
    assert!(error.to_string().contains("thesis.txt"), "{error}");
    assert!(!folder.path().join("identity").exists());
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let folder = scratch();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = sled::open(&file.join("data"), &options()).unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    assert!(error.to_string().contains("file"), "{error}");
}

#[tokio::test]
async fn a_newer_folder_format_is_refused() {
    let folder = scratch();
    sled_engine(folder.path()).close().await.unwrap();
    let body = "sessiond data folder\nformat 2\nfolder 00000000000000000000000000000001";
    let text = format!("{body}\nchecksum {:08x}\n", crc32fast::hash(body.as_bytes()));
    fs::write(folder.path().join("identity"), text).unwrap();
    let error = sled::open(folder.path(), &options()).unwrap_err();
    assert!(error.to_string().contains("format 2"), "{error}");
}

#[tokio::test]
async fn files_of_another_folder_are_not_mixed_in() {
    let (one, two) = (scratch(), scratch());
    for (n, folder) in [&one, &two].into_iter().enumerate() {
        let engine = sled_engine(folder.path());
        fill(engine.as_ref(), n * 100..n * 100 + 50).await;
        engine.close().await.unwrap();
        fs::remove_file(folder.path().join("clean")).unwrap();
    }
    let name = only_file(&one.path().join("journal"), ".log");
    fs::copy(two.path().join("journal").join(name.file_name().unwrap()), &name).unwrap();
    let error = sled::open(one.path(), &options()).unwrap_err();
    assert!(error.to_string().contains("another data folder"), "{error}");
}

#[tokio::test]
async fn a_clock_that_only_goes_back_is_noted_as_it_is() {
    use sessiond::domain::time::{BootId, Clock, SteadyMillis, UnixMillis};
    struct Backwards(std::sync::atomic::AtomicU64);
    impl Clock for Backwards {
        fn now(&self) -> UnixMillis {
            UnixMillis(self.0.fetch_sub(1000, std::sync::atomic::Ordering::Relaxed))
        }

        fn steady(&self) -> SteadyMillis {
            SteadyMillis(0)
        }

        fn boot(&self) -> BootId {
            BootId::UNKNOWN
        }
    }
    let folder = scratch();
    let clock = std::sync::Arc::new(Backwards(9_000_000_u64.into()));
    let odd = sled::Options { clock, ..options() };
    let data = folder.path().join("data");
    for round in 0..3 {
        let (engine, _) = sled::open(&data, &odd).unwrap();
        fill(&engine, round * 10..round * 10 + 10).await;
        engine.close().await.unwrap();
    }
    let restore =
        |until, to: &str| sled::maintenance::restore(&data, &folder.path().join(to), until, &options(), &|_| {});
    let last = restore(sessiond::store::maintenance::Until::End, "all").unwrap();
    assert!(last.frame == 30 && last.time < 9_000_000 - 30 * 1000, "{last:?}");
    // Each frame was written before the one whose time is the earliest.
    for time in [last.time, last.time + 1000, 9_000_000] {
        let report = restore(sessiond::store::maintenance::Until::Time(UnixMillis(time)), &time.to_string()).unwrap();
        assert_eq!((report.frame, report.time), (30, last.time), "{report:?}");
    }
    restore(sessiond::store::maintenance::Until::Time(UnixMillis(last.time - 1)), "none").unwrap_err();
}

#[tokio::test]
async fn many_segments_and_snapshots_stay_bounded_and_read_back() {
    let folder = scratch();
    let small = sled::Options { segment_bytes: 64 << 10, snapshot_after_bytes: 256 << 10, ..options() };
    let (engine, _) = sled::open(folder.path(), &small).unwrap();
    let mut expected = Contents::new();
    for round in 0..40 {
        expected = fill(&engine, round * 50..round * 50 + 100).await;
    }
    let count = |name: &str| fs::read_dir(folder.path().join(name)).unwrap().count();
    // On a busy machine the snapshot thread lags behind a flood of writes; with a trickle it catches up.
    let deadline = Instant::now() + Duration::from_secs(60);
    for round in 40.. {
        if count("journal") < 30 {
            break;
        }
        assert!(Instant::now() < deadline, "the journal stays long: {} files", count("journal"));
        expected = fill(&engine, round * 50..round * 50 + 5).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    engine.snapshot().unwrap();
    engine.close().await.unwrap();
    assert!(count("snapshot") <= 2 && count("journal") < 40, "{} {}", count("snapshot"), count("journal"));
    fs::remove_dir_all(folder.path().join("index")).unwrap();
    assert_eq!(expect(folder.path(), &expected).await.start, Start::Rebuilt);
}
