//! Check, backup, restore, compact, salvage.

use super::{Contents, copy_folder, dump, fill, options, remove_some, scratch, sled_engine};
use sessiond::domain::time::{BootId, Clock, SteadyMillis, UnixMillis};
use sessiond::store::data_folder::{check, compact, restore, salvage};
use sessiond::store::maintenance::{Audit, Finding, NoAudit, Until};
use sessiond::store::sled::{self, Options, Start};
use sessiond::store::{Engine, Key, Keyspace, StoreError};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A clock that only the test moves.
#[derive(Default)]
pub(super) struct Hand(pub(super) AtomicU64);

impl Clock for Hand {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::Relaxed))
    }

    fn steady(&self) -> SteadyMillis {
        SteadyMillis(0)
    }

    fn boot(&self) -> BootId {
        BootId::UNKNOWN
    }
}

pub(super) async fn contents(path: &Path) -> (Contents, Start) {
    let (engine, report) = sled::open(path, &options()).unwrap();
    let contents = dump(&engine).await;
    engine.close().await.unwrap();
    (contents, report.start)
}

pub(super) fn refused_as_unusable<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    let error = result.unwrap_err();
    assert!(matches!(error, StoreError::Unusable { .. }), "{error}");
    error.to_string()
}

/// Records in these tests have no checksum, so each is a finding; everything else must be sound.
fn unrecorded(findings: &[Finding]) -> Vec<&Finding> {
    findings.iter().filter(|finding| !finding.place.contains('/') || !finding.what.contains("checksum")).collect()
}

/// Valid record bytes, so that `check` does not complain about them.
async fn fill_records(engine: &dyn Engine, count: u64) {
    for n in 0..count {
        let mut tx = engine.begin();
        let key = Key::of(Keyspace::Meta).raw(&n.to_be_bytes());
        let note = super::codec::NoteV1 { text: format!("note {n}").repeat(20) };
        sessiond::store::codec::put(tx.as_mut(), key, &note).unwrap();
        tx.put(Key::of(Keyspace::SessionByUser).raw(&n.to_be_bytes()), Vec::new());
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn check_finds_nothing_in_a_sound_folder_and_leaves_it_cleanly_stopped() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    fill_records(engine.as_ref(), 100).await;
    engine.snapshot().unwrap();
    fill_records(engine.as_ref(), 150).await;
    let online = engine.check(&mut NoAudit, &|_| {}).unwrap();
    assert!(online.is_sound(), "{online:?}");
    assert_eq!(online.records, 300);
    engine.close().await.unwrap();
    let report = check(folder.path(), &mut NoAudit, &|_| {}).unwrap();
    assert!(report.is_sound() && report.clean, "{report:?}");
    assert_eq!((report.records, report.frame, report.snapshots), (300, 250, 1));
    assert_eq!(report.by_kind.into_iter().collect::<Vec<_>>(), [("meta", 150), ("session_by_user", 150)]);
    assert_eq!(contents(folder.path()).await.1, Start::Clean);
}

#[tokio::test]
async fn check_beside_traffic_finds_nothing() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    fill_records(engine.as_ref(), 300).await;
    let writer = Arc::clone(&engine);
    let stop = Arc::new(AtomicU64::new(0));
    let until = Arc::clone(&stop);
    let traffic = tokio::spawn(async move {
        while until.load(Ordering::Relaxed) == 0 {
            fill_records(writer.as_ref(), 40).await;
            let mut tx = writer.begin();
            tx.delete(Key::of(Keyspace::Meta).raw(&7_u64.to_be_bytes()));
            tx.commit().await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    for _ in 0..5 {
        let engine = Arc::clone(&engine);
        let report = tokio::task::spawn_blocking(move || engine.check(&mut NoAudit, &|_| {})).await.unwrap().unwrap();
        assert!(report.is_sound(), "{report:?}");
    }
    stop.store(1, Ordering::Relaxed);
    traffic.await.unwrap();
}

#[tokio::test]
async fn check_names_a_record_whose_checksum_does_not_match_and_asks_the_audit() {
    struct Nosy(u64);
    impl Audit for Nosy {
        fn record(&mut self, _key: &Key, _value: &[u8]) {
            self.0 += 1;
        }
        fn finish(&mut self) -> Vec<Finding> {
            vec![Finding { place: "everything".to_owned(), what: format!("{} records were shown", self.0) }]
        }
    }
    let folder = scratch();
    let engine = sled_engine(folder.path());
    fill_records(engine.as_ref(), 10).await;
    let mut tx = engine.begin();
    tx.put(Key::of(Keyspace::Meta).text("bad"), b"not a record".to_vec());
    tx.commit().await.unwrap();
    engine.close().await.unwrap();
    let report = check(folder.path(), &mut Nosy(0), &|_| {}).unwrap();
    let texts: Vec<_> = report.findings.iter().map(|finding| format!("{}: {}", finding.place, finding.what)).collect();
    assert_eq!(texts, ["meta/bad\\x00\\x00: the checksum does not match", "everything: 20 records were shown"]);
}

#[tokio::test]
async fn check_reports_damage_in_every_part() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    fill_records(engine.as_ref(), 200).await;
    engine.snapshot().unwrap();
    fill_records(engine.as_ref(), 200).await;
    engine.close().await.unwrap();
    for part in ["journal", "snapshot", "index", "identity"] {
        let copy = scratch();
        copy_folder(folder.path(), copy.path());
        let mut path = copy.path().join(part);
        if path.is_dir() {
            let largest = |a: &fs::DirEntry| a.metadata().unwrap().len();
            path = fs::read_dir(&path).unwrap().map(Result::unwrap).max_by_key(largest).unwrap().path();
        }
        let mut bytes = fs::read(&path).unwrap();
        let place = bytes.len().min(9000) / 2;
        bytes[place] ^= 0x10;
        fs::write(&path, bytes).unwrap();
        let report = check(copy.path(), &mut NoAudit, &|_| {}).unwrap();
        assert!(!report.is_sound(), "{part}: {report:?}");
    }
}

#[tokio::test]
async fn a_backup_taken_beside_traffic_is_consistent() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    let mut tx = engine.begin();
    for n in 0..10_u8 {
        tx.put(Key::of(Keyspace::Meta).raw(&[n]), 1000_u64.to_be_bytes().to_vec());
    }
    tx.commit().await.unwrap();
    let stop = Arc::new(AtomicU64::new(0));
    let (writer, until) = (Arc::clone(&engine), Arc::clone(&stop));
    let traffic = tokio::spawn(async move {
        // Moves amounts between records: in every consistent state the sum is the same.
        for step in (0..=u8::MAX).cycle() {
            if until.load(Ordering::Relaxed) == 1 {
                break;
            }
            let (from, to) =
                (Key::of(Keyspace::Meta).raw(&[step % 10]), Key::of(Keyspace::Meta).raw(&[(step / 3) % 10]));
            let mut tx = writer.begin();
            for (key, change) in [(from, -1_i64), (to, 1)] {
                let old = u64::from_be_bytes(tx.get(&key).await.unwrap().unwrap().try_into().unwrap());
                tx.put(key, old.wrapping_add_signed(change).to_be_bytes().to_vec());
            }
            tx.commit().await.unwrap();
        }
    });
    for round in 0..4 {
        let (to, engine) = (folder.path().with_extension(format!("backup{round}")), Arc::clone(&engine));
        let target = to.clone();
        let report = tokio::task::spawn_blocking(move || engine.backup(&target, &|_| {})).await.unwrap().unwrap();
        assert!(report.frame > 0 && report.bytes > 0);
        let restored = folder.path().with_extension(format!("restored{round}"));
        restore(&to, &restored, Until::End, &options(), &|_| {}).unwrap();
        let (contents, start) = contents(&restored).await;
        assert_eq!(start, Start::Clean);
        let sum: u64 = contents.values().map(|value| u64::from_be_bytes(value.as_slice().try_into().unwrap())).sum();
        assert_eq!((contents.len(), sum), (10, 10_000));
        fs::remove_dir_all(&to).unwrap();
        fs::remove_dir_all(&restored).unwrap();
    }
    stop.store(1, Ordering::Relaxed);
    traffic.await.unwrap();
}

#[tokio::test]
async fn restore_goes_to_any_point_in_time_of_the_window() {
    let folder = scratch();
    let hand = Arc::new(Hand::default());
    let timed = Options { clock: Arc::<Hand>::clone(&hand), ..options() };
    let (engine, _) = sled::open(&folder.path().join("data"), &timed).unwrap();
    let mut states = Vec::new();
    for step in 1..=12_usize {
        hand.0.store(step as u64 * 1000, Ordering::Relaxed);
        let state = fill(&engine, step * 10..step * 10 + 20).await;
        states.push((step as u64 * 1000, engine.stats().commits, state));
        if step == 5 || step == 9 {
            engine.snapshot().unwrap();
        }
    }
    let backup = folder.path().join("backup");
    engine.backup(&backup, &|_| {}).unwrap();
    engine.close().await.unwrap();
    // The window begins with the older of the two snapshots.
    for (n, (time, frame, state)) in states.iter().enumerate().skip(4) {
        for (source, from) in [("data", folder.path().join("data")), ("backup", backup.clone())] {
            let to = folder.path().join(format!("{source}-{n}"));
            let by_time = Until::Time(UnixMillis(time + 500));
            let report = restore(&from, &to, by_time, &options(), &|_| {}).unwrap();
            assert_eq!((report.frame, report.time), (*frame, *time), "{source}");
            assert!(contents(&to).await.0 == *state, "{source} at {time}");
        }
    }
    let to = folder.path().join("by-frame");
    restore(&backup, &to, Until::Frame(states[6].1), &options(), &|_| {}).unwrap();
    assert!(contents(&to).await.0 == states[6].2);
}

#[tokio::test]
async fn a_restored_folder_is_compact_and_goes_on() {
    let folder = scratch();
    let engine = sled_engine(&folder.path().join("data"));
    fill(engine.as_ref(), 0..300).await;
    remove_some(engine.as_ref()).await;
    let expected = dump(engine.as_ref()).await;
    engine.close().await.unwrap();
    let to = folder.path().join("new");
    fs::create_dir(&to).unwrap();
    let report = restore(&folder.path().join("data"), &to, Until::End, &options(), &|_| {}).unwrap();
    assert_eq!(report.records, expected.len() as u64);
    let engine = sled_engine(&to);
    assert!(dump(engine.as_ref()).await == expected);
    let expected = fill(engine.as_ref(), 400..450).await;
    engine.close().await.unwrap();
    fs::remove_dir_all(to.join("index")).unwrap();
    assert!(contents(&to).await == (expected, Start::Rebuilt));
}

#[tokio::test]
async fn nothing_is_overwritten() {
    let folder = scratch();
    let engine = sled_engine(&folder.path().join("data"));
    fill(engine.as_ref(), 0..5).await;
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("letter"), "dear").unwrap();
    assert!(refused_as_unusable(engine.backup(&taken, &|_| {})).contains("nothing is overwritten"));
    engine.close().await.unwrap();
    let data = folder.path().join("data");
    refused_as_unusable(restore(&data, &taken, Until::End, &options(), &|_| {}));
    refused_as_unusable(restore(&data, &data, Until::End, &options(), &|_| {}));
    refused_as_unusable(salvage(&data, &taken, &options(), &sessiond::store::tallies::is_note, &|_| {}));
    refused_as_unusable(restore(
        &folder.path().join("nowhere"),
        &folder.path().join("x"),
        Until::End,
        &options(),
        &|_| {},
    ));
    refused_as_unusable(restore(&taken, &folder.path().join("x"), Until::End, &options(), &|_| {}));
    assert_eq!(fs::read_to_string(taken.join("letter")).unwrap(), "dear");
    assert!(!folder.path().join("x").exists());
}

#[tokio::test]
async fn a_folder_in_use_is_neither_restored_from_nor_checked() {
    let folder = scratch();
    let _engine = sled_engine(&folder.path().join("data"));
    let data = folder.path().join("data");
    let error = restore(&data, &folder.path().join("x"), Until::End, &options(), &|_| {}).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    assert!(matches!(check(&data, &mut NoAudit, &|_| {}).unwrap_err(), StoreError::Locked { .. }));
    assert!(matches!(compact(&data, &options(), &|_| {}).unwrap_err(), StoreError::Locked { .. }));
}

#[tokio::test]
async fn a_point_before_the_window_is_refused() {
    let folder = scratch();
    let hand = Arc::new(Hand(AtomicU64::new(5000)));
    let timed = Options { clock: Arc::<Hand>::clone(&hand), ..options() };
    let data = folder.path().join("data");
    let (engine, _) = sled::open(&data, &timed).unwrap();
    for round in 0..3 {
        hand.0.fetch_add(1000, Ordering::Relaxed);
        fill(&engine, round * 10..round * 10 + 10).await;
        engine.snapshot().unwrap();
    }
    engine.close().await.unwrap();
    let until = Until::Time(UnixMillis(5500));
    let message = refused_as_unusable(restore(&data, &folder.path().join("x"), until, &options(), &|_| {}));
    assert!(message.contains("does not go back to that point"), "{message}");
}

#[tokio::test]
async fn a_healed_folder_is_not_taken_for_an_older_state_of_it() {
    let folder = scratch();
    let hand = Arc::new(Hand(AtomicU64::new(1000)));
    let timed = Options { clock: Arc::<Hand>::clone(&hand), ..options() };
    let data = folder.path().join("data");
    let (engine, _) = sled::open(&data, &timed).unwrap();
    fill(&engine, 0..10).await;
    hand.0.store(9000, Ordering::Relaxed);
    let healed = fill(&engine, 10..20).await;
    engine.close().await.unwrap();
    drop(engine);
    let segment = fs::read_dir(data.join("journal")).unwrap().map(|entry| entry.unwrap().path());
    let segment = segment.into_iter().find(|path| path.extension().is_some_and(|end| end == "log")).unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    bytes[100] ^= 1;
    fs::write(&segment, bytes).unwrap();
    hand.0.store(10_000, Ordering::Relaxed);
    let (engine, report) = sled::open(&data, &timed).unwrap();
    assert_eq!(report.start, Start::Healed);
    hand.0.store(20_000, Ordering::Relaxed);
    fill(&engine, 20..30).await;
    engine.close().await.unwrap();
    let until = |time, to| restore(&data, &folder.path().join(to), Until::Time(UnixMillis(time)), &options(), &|_| {});
    // The state at 5000 is gone for good; the state at 9000 must not be presented as it.
    refused_as_unusable(until(5000, "before"));
    until(15_000, "after").unwrap();
    assert!(contents(&folder.path().join("after")).await.0 == healed);
}

#[tokio::test]
async fn what_an_interrupted_backup_left_is_replaced_and_a_strangers_folder_is_not() {
    let folder = scratch();
    let engine = sled_engine(&folder.path().join("data"));
    let expected = fill(engine.as_ref(), 0..20).await;
    let partial = folder.path().join("copy.partial");
    fs::create_dir(&partial).unwrap();
    fs::write(partial.join("thesis.odt"), "years of work").unwrap();
    let copy = folder.path().join("copy");
    let message = refused_as_unusable(engine.backup(&copy, &|_| {}));
    assert!(message.contains("thesis.odt"), "{message}");
    assert!(partial.join("thesis.odt").exists());
    fs::remove_file(partial.join("thesis.odt")).unwrap();
    fs::create_dir(partial.join("journal")).unwrap();
    fs::write(partial.join("journal").join("half"), "").unwrap();
    fs::write(partial.join("manifest.new"), "").unwrap();
    engine.backup(&copy, &|_| {}).unwrap();
    assert!(!partial.exists());
    restore(&copy, &folder.path().join("again"), Until::End, &options(), &|_| {}).unwrap();
    assert!(contents(&folder.path().join("again")).await.0 == expected);
}

#[tokio::test]
async fn a_damaged_backup_is_named() {
    let folder = scratch();
    let engine = sled_engine(&folder.path().join("data"));
    fill(engine.as_ref(), 0..100).await;
    let backup = folder.path().join("backup");
    engine.backup(&backup, &|_| {}).unwrap();
    let segment = fs::read_dir(backup.join("journal")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let error = restore(&backup, &folder.path().join("x"), Until::End, &options(), &|_| {}).unwrap_err();
    assert!(matches!(&error, StoreError::Damaged { place, .. } if place.contains("journal")), "{error}");
}

#[tokio::test]
async fn compact_gives_space_back_and_keeps_everything() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    for round in 0..6 {
        fill(engine.as_ref(), round * 100..round * 100 + 150).await;
        remove_some(engine.as_ref()).await;
    }
    let expected = dump(engine.as_ref()).await;
    engine.close().await.unwrap();
    let report = compact(folder.path(), &options(), &|_| {}).unwrap();
    assert!(report.after < report.before, "{report:?}");
    assert_eq!(report.records, expected.len() as u64);
    assert!(contents(folder.path()).await == (expected.clone(), Start::Clean));
    assert!(check(folder.path(), &mut NoAudit, &|_| {}).unwrap().findings.iter().all(|f| f.what.contains("checksum")));
    assert!(unrecorded(&check(folder.path(), &mut NoAudit, &|_| {}).unwrap().findings).is_empty());
}

#[tokio::test]
async fn a_compaction_killed_between_its_steps_loses_nothing() {
    let folder = scratch();
    let engine = sled_engine(folder.path());
    let expected = fill(engine.as_ref(), 0..100).await;
    engine.close().await.unwrap();
    for step in 0..3 {
        let copy = scratch();
        copy_folder(folder.path(), copy.path());
        let at = |name: &str| copy.path().join(name);
        fs::remove_file(at("clean")).unwrap();
        copy_folder(&at("index"), &at("index.new"));
        if step > 0 {
            fs::rename(at("index"), at("index.old")).unwrap();
        }
        if step > 1 {
            fs::rename(at("index.new"), at("index")).unwrap();
        }
        assert!(contents(copy.path()).await.0 == expected, "step {step}");
        assert!(!at("index.old").exists() && !at("index.new").exists());
    }
}

#[tokio::test]
async fn salvage_collects_what_is_readable_and_says_what_is_not() {
    let folder = scratch();
    let data = folder.path().join("data");
    let engine = sled_engine(&data);
    fill_records(engine.as_ref(), 300).await;
    let expected = dump(engine.as_ref()).await;
    engine.close().await.unwrap();
    fs::remove_file(data.join("clean")).unwrap();
    fs::remove_dir_all(data.join("index")).unwrap();
    let segment = fs::read_dir(data.join("journal")).unwrap().map(|entry| entry.unwrap().path());
    let segment = segment.filter(|path| path.extension().is_some_and(|e| e == "log")).max().unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 100].fill(0xAA);
    fs::write(&segment, bytes).unwrap();
    assert!(matches!(sled::open(&data, &options()).unwrap_err(), StoreError::Damaged { .. }));
    let to = folder.path().join("saved");
    let report = salvage(&data, &to, &options(), &sessiond::store::tallies::is_note, &|_| {}).unwrap();
    assert!(report.findings.iter().any(|finding| finding.what.contains("are missing")), "{report:?}");
    assert!(!report.warnings.is_empty());
    let (saved, _) = contents(&to).await;
    assert!(saved.len() >= expected.len() - 8 && saved.len() < expected.len(), "{} of {}", saved.len(), expected.len());
    assert!(saved.iter().all(|(key, value)| expected.get(key) == Some(value)));
}
