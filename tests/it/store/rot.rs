//! Snapshots that become damaged on disk while the server runs.

use super::{Contents, copy_folder, dump, fill, options, remove_some, scratch, sled_engine};
use sessiond::store::data_folder::check;
use sessiond::store::maintenance::NoAudit;
use sessiond::store::sled::{self, SledEngine, Start};
use sessiond::store::{Engine, Key, Keyspace};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn snapshots(root: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(root.join("snapshot")).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|end| end == "snap"));
    found.sort();
    found
}

fn rot(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x20;
    fs::write(path, bytes).unwrap();
}

/// A server with two snapshots and a journal that no longer reaches back to the first frame.
async fn running(root: &Path) -> Arc<SledEngine> {
    let engine = sled_engine(root);
    for round in 0..3 {
        fill(engine.as_ref(), round * 60..round * 60 + 100).await;
        remove_some(engine.as_ref()).await;
        engine.snapshot().unwrap();
    }
    assert_eq!(snapshots(root).len(), 2);
    assert!(!root.join("journal").join(format!("{:020}.log", 1)).exists());
    engine
}

/// Journal and snapshots alone, as a crash leaves them, are still complete.
async fn says_everything(root: &Path, expected: &Contents) {
    let copy = scratch();
    copy_folder(root, copy.path());
    fs::remove_dir_all(copy.path().join("index")).unwrap();
    let (engine, report) = sled::open(copy.path(), &options()).unwrap();
    assert_eq!(report.start, Start::Rebuilt);
    assert!(report.notes.is_empty(), "{report:?}");
    assert!(dump(&engine).await == *expected);
}

#[tokio::test]
async fn check_names_a_bad_snapshot_and_a_good_one_takes_its_place_at_once() {
    let folder = scratch();
    let engine = running(folder.path()).await;
    let newest = snapshots(folder.path()).pop().unwrap();
    let good = fs::read(&newest).unwrap();
    rot(&newest);
    let report = engine.check(&mut NoAudit, &|_| {}).unwrap();
    let place = newest.display().to_string();
    assert!(report.findings.iter().any(|finding| finding.place == place), "{report:?}");
    let deadline = Instant::now() + Duration::from_secs(30);
    while fs::read(&newest).unwrap() != good {
        assert!(Instant::now() < deadline, "the damaged snapshot remains");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    says_everything(folder.path(), &dump(engine.as_ref()).await).await;
}

#[tokio::test]
async fn a_bad_older_snapshot_is_set_aside_before_anything_relies_on_it() {
    let folder = scratch();
    let engine = running(folder.path()).await;
    let older = snapshots(folder.path()).remove(0);
    rot(&older);
    fill(engine.as_ref(), 300..320).await;
    engine.snapshot().unwrap();
    assert!(!older.exists() && snapshots(folder.path()).len() == 2);
    assert_eq!(fs::read_dir(folder.path().join("damaged")).unwrap().count(), 1);
    let expected = fill(engine.as_ref(), 320..330).await;
    // Now the newest may become damaged as well.
    rot(&snapshots(folder.path()).pop().unwrap());
    engine.snapshot().unwrap();
    says_everything(folder.path(), &expected).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_all_snapshots_are_bad_the_index_says_what_they_held_beside_the_traffic() {
    let folder = scratch();
    let engine = running(folder.path()).await;
    for path in snapshots(folder.path()) {
        rot(&path);
    }
    let (stop, writer) = (Arc::new(AtomicBool::new(false)), Arc::clone(&engine));
    let until = Arc::clone(&stop);
    let traffic = tokio::spawn(async move {
        for round in (0_usize..).step_by(20) {
            fill(writer.as_ref(), round..round + 20).await;
            let mut tx = writer.begin();
            tx.delete(Key::of(Keyspace::Timeline).text("").raw(&[(round % 7).to_le_bytes()[0]]));
            tx.commit().await.unwrap();
            if until.load(Ordering::Relaxed) {
                break;
            }
        }
    });
    let making = Arc::clone(&engine);
    tokio::task::spawn_blocking(move || making.snapshot()).await.unwrap().unwrap();
    stop.store(true, Ordering::Relaxed);
    traffic.await.unwrap();
    let expected = dump(engine.as_ref()).await;
    assert_eq!(snapshots(folder.path()).len(), 1);
    says_everything(folder.path(), &expected).await;
    engine.snapshot().unwrap();
    engine.close().await.unwrap();
    let findings = check(folder.path(), &mut NoAudit, &|_| {}).unwrap().findings;
    assert!(findings.iter().all(|finding| finding.what.contains("checksum")), "{findings:?}");
}
