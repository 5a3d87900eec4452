//! A full disk: writes are refused with a clear error, reads continue, and writes work again once there is space.
//!
//! Needs root for a small file system in memory (Linux); fails loudly without.

use super::{Contents, dump, fill, options, scratch};
use sessiond::store::sled::{self, Options, SledEngine};
use sessiond::store::{CommitError, Engine, Key, Keyspace, StoreError};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system of a given size, unmounted at the end.
struct Small(PathBuf);

impl Small {
    fn mount(at: &Path, size: &str) -> Self {
        fs::create_dir_all(at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o"]).arg(format!("size={size}")).arg("none").arg(at);
        assert!(mount.status().unwrap().success(), "mounting a small file system needs root");
        Self(at.to_owned())
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Writes until refused; returns what was acknowledged.
async fn write_until_full(engine: &SledEngine, salt: u64, limit: u64) -> (Contents, Option<StoreError>) {
    let mut written = Contents::new();
    for n in 0..limit {
        let key = Key::of(Keyspace::Timeline).raw(&salt.to_be_bytes()).raw(&n.to_be_bytes());
        let value = vec![n.to_le_bytes()[0]; 20_000];
        let mut tx = engine.begin();
        tx.put(key.clone(), value.clone());
        match tx.commit().await {
            Ok(()) => written.insert(key, value),
            Err(CommitError::Store(error)) => return (written, Some(error)),
            Err(CommitError::Conflict) => panic!("nothing was read"),
        };
    }
    (written, None)
}

async fn survives(data: &Path, ballast: &Path, options: &Options) {
    let (engine, _) = sled::open(data, options).unwrap();
    let mut expected = fill(&engine, 0..30).await;
    let (written, error) = write_until_full(&engine, 1, 100_000).await;
    expected.extend(written);
    assert!(matches!(error, Some(StoreError::DiskFull { .. })), "{error:?}");
    assert!(dump(&engine).await == expected, "reads go on");
    let (none, error) = write_until_full(&engine, 2, 3).await;
    assert!(none.is_empty() && matches!(error, Some(StoreError::DiskFull { .. })), "{error:?}");
    fs::remove_file(ballast).unwrap();
    let (written, error) = write_until_full(&engine, 3, 40).await;
    assert!(error.is_none() && written.len() == 40, "{error:?}");
    expected.extend(written);
    assert!(dump(&engine).await == expected);
    engine.close().await.unwrap();
    drop(engine);
    let (engine, report) = sled::open(data, options).unwrap();
    assert_eq!(report.start, sled::Start::Clean);
    assert!(dump(&engine).await == expected);
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_loses_nothing() {
    let folder = scratch();
    let small = Small::mount(&folder.path().join("disk"), "160m");
    let ballast = small.0.join(".ballast");
    fs::write(&ballast, vec![1; 64 << 20]).unwrap();
    survives(&small.0, &ballast, &Options { reserve_bytes: 48 << 20, ..options() }).await;
}

#[tokio::test]
async fn a_journal_that_meets_the_end_of_the_disk_is_cut_back_and_goes_on() {
    let folder = scratch();
    // Only the journal's disk is small, so that the shortage of space is not noticed beforehand.
    let small = Small::mount(&folder.path().join("journal"), "12m");
    sled::open(folder.path(), &options()).unwrap().0.close().await.unwrap();
    let ballast = small.0.join(".ballast");
    fs::write(&ballast, vec![1; (5 << 20) + 1234]).unwrap();
    survives(folder.path(), &ballast, &Options { segment_bytes: 3 << 20, ..options() }).await;
}

#[tokio::test]
async fn a_snapshot_that_does_not_fit_is_given_up_and_nothing_is_lost() {
    let folder = scratch();
    let small = Small::mount(&folder.path().join("snapshot"), "1m");
    let (engine, _) = sled::open(folder.path(), &options()).unwrap();
    let mut expected = fill(&engine, 0..30).await;
    let (written, _) = write_until_full(&engine, 1, 100).await;
    expected.extend(written);
    let random = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    for n in 0..30_u64 {
        let (key, value) =
            (Key::of(Keyspace::Meta).raw(&random(n)), (0..9000).flat_map(|i| random(i * 77 + n)).collect());
        let mut tx = engine.begin();
        tx.put(key, value);
        tx.commit().await.unwrap();
    }
    assert!(matches!(engine.snapshot().unwrap_err(), StoreError::DiskFull { .. }));
    let contents = dump(&engine).await;
    assert!(expected.iter().all(|(key, value)| contents.get(key) == Some(value)));
    assert_eq!(fs::read_dir(&small.0).unwrap().count(), 0, "nothing half-done is left");
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_start_that_has_no_room_to_heal_is_refused_by_name_until_there_is() {
    let folder = scratch();
    let small = Small::mount(&folder.path().join("disk"), "160m");
    let (data, ballast) = (small.0.join("data"), small.0.join("ballast"));
    let (engine, _) = sled::open(&data, &options()).unwrap();
    let expected = fill(&engine, 0..200).await;
    engine.close().await.unwrap();
    drop(engine);
    let segment = fs::read_dir(data.join("journal")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&segment).unwrap();
    bytes[3000] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let free = || rustix::fs::statvfs(&small.0).map(|disk| disk.f_bavail * disk.f_frsize).unwrap();
    let index: u64 =
        fs::read_dir(data.join("index")).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    // Room for nothing, for a part of the copy of the index, for that and a part of the snapshot.
    let mut refused = 0;
    for left in [0, 4096, index / 2, index, index + 4096, index + (64 << 10), index + (256 << 10)] {
        let full = usize::try_from(free().saturating_sub(left)).unwrap();
        fs::write(&ballast, vec![1; full]).unwrap();
        let before = free();
        match sled::open(&data, &options()) {
            Ok(_) => break,
            Err(StoreError::DiskFull { .. } | StoreError::Unusable { .. }) => refused += 1,
            Err(other) => panic!("with {left} bytes left: {other}"),
        }
        assert!(free() + 8192 >= before, "a failed start has left something: {} of {before}", free());
        fs::remove_file(&ballast).unwrap();
    }
    assert!(refused >= 5, "{refused}");
    let _ = fs::remove_file(&ballast);
    let (engine, report) = sled::open(&data, &options()).unwrap();
    assert_eq!(report.start, sled::Start::Healed, "{report:?}");
    assert!(dump(&engine).await == expected);
}

#[tokio::test]
async fn a_start_on_a_full_disk_is_named() {
    let folder = scratch();
    let small = Small::mount(&folder.path().join("disk"), "1m");
    fs::write(small.0.join(".ballast"), vec![1; (1 << 20) - 4096]).unwrap();
    let error = sled::open(&small.0.join("data"), &options()).unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error}");
}
