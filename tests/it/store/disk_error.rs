//! A disk that fails: the group is not acknowledged, nothing more is written, and the server is told to end.
//!
//! Needs root for a loop device (Linux); fails loudly without.

use super::{options, scratch, try_dump};
use sessiond::store::sled::{self, Options};
use sessiond::store::{CommitError, Engine, Key, Keyspace, StoreError};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

/// An ext4 disk of 64 MiB whose backing store holds only part of that: at some point its writes fail with an I/O error.
struct Thin {
    store: PathBuf,
    disk: PathBuf,
}

fn run(command: &mut Command) {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?} (needs root): {}", String::from_utf8_lossy(&done.stderr));
}

impl Thin {
    fn mount(folder: &Path) -> Self {
        let thin = Self { store: folder.join("store"), disk: folder.join("disk") };
        fs::create_dir(&thin.store).unwrap();
        fs::create_dir(&thin.disk).unwrap();
        run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "none"]).arg(&thin.store));
        let image = thin.store.join("image");
        fs::File::create(&image).unwrap().set_len(64 << 20).unwrap();
        run(Command::new("mkfs.ext4").args(["-q", "-O", "^has_journal", "-E", "nodiscard"]).arg(&image));
        run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&thin.disk));
        thin
    }
}

impl Drop for Thin {
    fn drop(&mut self) {
        for path in [&self.disk, &self.store] {
            let _ = Command::new("umount").arg("-l").arg(path).status();
        }
    }
}

#[tokio::test]
async fn an_io_error_ends_all_writing_and_tells_the_server() {
    let folder = scratch();
    let thin = Thin::mount(folder.path());
    let told = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&told);
    let fatal = Arc::new(move |reason: &str| ear.lock().unwrap().push(reason.to_owned()));
    let (engine, _) = sled::open(&thin.disk.join("data"), &Options { fatal, ..options() }).unwrap();
    let put = |n: u64| {
        let mut tx = engine.begin();
        tx.put(Key::of(Keyspace::Meta).raw(&n.to_be_bytes()), vec![n.to_le_bytes()[0]; 50_000]);
        tx.commit()
    };
    let mut acknowledged = 0;
    let error = loop {
        match put(acknowledged).await {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 2000, "the disk never failed");
    };
    assert!(matches!(error, CommitError::Store(StoreError::Stopped { .. })), "{error}");
    let again = put(9999).await.unwrap_err();
    assert!(matches!(again, CommitError::Store(StoreError::Stopped { .. })), "{again}");
    // The index may have hit the bad disk too, and then reports it; whatever it does return is intact.
    match try_dump(&engine).await {
        Ok(contents) => {
            for n in 0..acknowledged {
                assert!(contents.contains_key(&Key::of(Keyspace::Meta).raw(&n.to_be_bytes())), "{n} was acknowledged");
            }
        }
        Err(StoreError::DiskFull { .. } | StoreError::Io { .. } | StoreError::Stopped { .. }) => {}
        Err(other) => panic!("{other}"),
    }
    drop(engine);
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("journal") || told[0].contains("index"), "{told:?}");
}
