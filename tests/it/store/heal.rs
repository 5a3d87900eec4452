//! Folders that are healed after a clean stop: interrupted between any two steps, with contradictory evidence, or
//! inspected beforehand.

use super::{Contents, copy_folder, dump, fill, options, remove_some, scratch, sled_engine};
use sessiond::store::Engine;
use sessiond::store::sled::maintenance::{NoAudit, check};
use sessiond::store::sled::{self, Options, RecoveryReport, Start};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn small() -> Options {
    Options { segment_bytes: 64 << 10, ..options() }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

/// A folder with two snapshots and several segments, stopped cleanly, and what it holds.
async fn stopped(root: &Path) -> Contents {
    let (engine, _) = sled::open(root, &small()).unwrap();
    fill(&engine, 0..80).await;
    engine.snapshot().unwrap();
    remove_some(&engine).await;
    fill(&engine, 60..140).await;
    engine.snapshot().unwrap();
    let contents = fill(&engine, 120..200).await;
    engine.close().await.unwrap();
    contents
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.iter().rposition(|byte| *byte != 0).unwrap() / 2;
    bytes[middle] ^= 4;
    fs::write(path, bytes).unwrap();
}

/// Opens, compares and closes; the next start finds nothing to complain about.
async fn holds(root: &Path, expected: &Contents, label: &str) -> RecoveryReport {
    let (engine, report) = sled::open(root, &small()).unwrap_or_else(|error| panic!("{label}: {error}"));
    assert!(dump(&engine).await == *expected, "{label}: {report:?}");
    engine.close().await.unwrap();
    drop(engine);
    let (engine, again) = sled::open(root, &small()).unwrap();
    assert_eq!(again.start, Start::Clean, "{label}: {again:?}");
    assert!(dump(&engine).await == *expected, "{label}");
    report
}

#[tokio::test]
async fn healing_that_was_interrupted_between_two_steps_is_done_by_the_next_start() {
    let origin = scratch();
    let expected = stopped(origin.path()).await;
    flip(&files(&origin.path().join("journal"))[1]);
    let old: Vec<_> = ["journal", "snapshot"].iter().flat_map(|part| files(&origin.path().join(part))).collect();
    let healed = scratch();
    copy_folder(origin.path(), healed.path());
    assert_eq!(holds(healed.path(), &expected, "at once").await.start, Start::Healed);
    let new = files(&healed.path().join("snapshot")).pop().unwrap();
    // The new snapshot has its name, and some of the old files have been set aside.
    for moved in 0..=old.len() {
        let copy = scratch();
        copy_folder(origin.path(), copy.path());
        fs::copy(&new, copy.path().join("snapshot").join(new.file_name().unwrap())).unwrap();
        fs::create_dir(copy.path().join("damaged")).unwrap();
        for file in &old[..moved] {
            let place = copy.path().join(file.strip_prefix(origin.path()).unwrap());
            fs::rename(place, copy.path().join("damaged").join(file.file_name().unwrap())).unwrap();
        }
        let report = holds(copy.path(), &expected, &format!("{moved} moved")).await;
        assert_eq!(report.start, Start::Healed, "{moved}: {report:?}");
    }
    // Half a snapshot and half a copy of the index.
    let copy = scratch();
    copy_folder(origin.path(), copy.path());
    let half = fs::read(&new).unwrap();
    fs::write(copy.path().join("snapshot").join(new.with_extension("new").file_name().unwrap()), &half[..300]).unwrap();
    fs::create_dir(copy.path().join("index.new")).unwrap();
    fs::write(copy.path().join("index.new").join("db"), &half[..300]).unwrap();
    assert_eq!(holds(copy.path(), &expected, "halves").await.start, Start::Healed);
    assert!(!copy.path().join("index.new").exists());
}

#[tokio::test]
async fn a_mark_that_is_older_than_the_last_acknowledged_frame_does_not_replace_the_journal() {
    let folder = scratch();
    stopped(folder.path()).await;
    let (mark, index) = (scratch(), folder.path().join("index"));
    copy_folder(&index, &mark.path().join("index"));
    fs::copy(folder.path().join("clean"), mark.path().join("clean")).unwrap();
    let (engine, _) = sled::open(folder.path(), &small()).unwrap();
    let expected = fill(&engine, 200..260).await;
    engine.close().await.unwrap();
    drop(engine);
    fs::remove_dir_all(&index).unwrap();
    copy_folder(&mark.path().join("index"), &index);
    fs::copy(mark.path().join("clean"), folder.path().join("clean")).unwrap();
    let report = holds(folder.path(), &expected, "mixed").await;
    assert_eq!(report.start, Start::Verified, "{report:?}");
    assert!(report.notes.iter().any(|note| note.contains("was acknowledged")), "{report:?}");
}

#[tokio::test]
async fn a_stray_file_does_not_give_its_name_to_a_folder_whose_identity_is_lost() {
    let (folder, other) = (scratch(), scratch());
    let engine = sled_engine(folder.path());
    for round in 0..3 {
        fill(engine.as_ref(), round * 20..round * 20 + 20).await;
        engine.snapshot().unwrap();
    }
    let expected = fill(engine.as_ref(), 60..70).await;
    let killed = scratch();
    copy_folder(folder.path(), killed.path());
    let stranger = sled_engine(other.path());
    fill(stranger.as_ref(), 0..5).await;
    let stray = format!("{:020}.log", 1);
    assert!(!killed.path().join("journal").join(&stray).exists(), "it was no longer needed");
    fs::copy(other.path().join("journal").join(&stray), killed.path().join("journal").join(&stray)).unwrap();
    fs::remove_file(killed.path().join("identity")).unwrap();
    let refused = sled::open(killed.path(), &options()).unwrap_err();
    assert!(refused.to_string().contains("another data folder"), "{refused}");
    assert!(!killed.path().join("identity").exists(), "the owner is not known yet");
    fs::remove_file(killed.path().join("journal").join(&stray)).unwrap();
    holds(killed.path(), &expected, "without the stray file").await;
}

/// Every file with its contents, except for the process id in the lock.
fn bytes_of(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in files(&folder) {
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("lock") {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[tokio::test]
async fn a_check_leaves_every_byte_as_it_is() {
    let origin = scratch();
    let expected = stopped(origin.path()).await;
    for damaged in ["", "journal", "snapshot", "index/db", "acked", "clean"] {
        let copy = scratch();
        copy_folder(origin.path(), copy.path());
        match damaged {
            "" => {}
            "journal" | "snapshot" => flip(&files(&copy.path().join(damaged))[1]),
            file => flip(&copy.path().join(file)),
        }
        let before = bytes_of(copy.path());
        let report = check(copy.path(), &mut NoAudit, &|_| {}).unwrap();
        assert!(bytes_of(copy.path()) == before, "{damaged}: the check has changed something");
        assert!(!report.read_only, "{damaged}: {report:?}");
        holds(copy.path(), &expected, damaged).await;
    }
}
