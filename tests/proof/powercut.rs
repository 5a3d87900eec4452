//! The power-cut test. The data folder is on an ext4 image behind a loop device. While clients work, the server is
//! frozen and the image is copied: whatever the file system had not been forced to write by then is missing from the
//! copy, as it would be after a power failure. The copy is mounted (ext4 replays its own journal), the server is
//! started on it, and everything acknowledged before the freeze has to be there.
//!
//! Needs root; without it the test fails, because a skipped proof proves nothing.

use crate::ledger::Session;
use crate::load::Worker;
use crate::people::Pair;
use crate::server::Server;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Cuts with small values, and the same number with the largest. `SESSIOND_PROOF_ROUNDS` sets a higher number.
const CUTS: usize = 20;
const WORKERS: u64 = 4;

fn cuts() -> usize {
    crate::rounds().map_or(CUTS, |rounds| usize::try_from(rounds).unwrap())
}

#[test]
fn powercut_loses_nothing_small() {
    cut_power(cuts(), 200, 128);
}

/// The largest request body allowed is 1 MiB.
#[test]
fn powercut_loses_nothing_large() {
    cut_power(cuts(), 1_000_000, 1024);
}

/// The proof of the proof: such a cut loses what was not made durable, and keeps what was synced.
#[test]
fn powercut_rig_loses_what_was_not_synced() {
    let folder = tempfile::tempdir().unwrap();
    let (image, copy) = (folder.path().join("disk.img"), copy_path(folder.path(), 0));
    let disk = Disk::make(folder.path(), &image, 32);
    let synced = File::create(disk.mount.join("synced")).unwrap();
    synced.write_all_at(b"here", 0).unwrap();
    synced.sync_all().unwrap();
    drop(synced);
    File::open(&disk.mount).unwrap().sync_all().unwrap();
    File::create(disk.mount.join("unsynced")).unwrap().write_all_at(b"gone", 0).unwrap();
    run("cp", &["--sparse=always", text(&image), text(&copy)]);
    drop(disk);
    let disk = Disk::mount(folder.path(), &copy);
    assert_eq!(std::fs::read(disk.mount.join("synced")).unwrap(), b"here");
    let unsynced = std::fs::read(disk.mount.join("unsynced")).unwrap_or_default();
    assert!(unsynced.is_empty(), "the rig takes nothing away: its other tests prove nothing");
}

fn cut_power(cuts: usize, large: usize, image_mib: u64) {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("disk.img");
    let log = folder.path().join("server.log");
    let disk = Disk::make(folder.path(), &image, image_mib);
    let server = Server::start(&disk.data(), &log);
    let mut workers: Vec<Worker> =
        (0..WORKERS).map(|index| Worker::new(format!("user{index}"), 7 + index, large)).collect();
    let ledgers: Vec<_> = workers.iter().map(|worker| Arc::clone(&worker.sessions)).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let pairs: Vec<_> = workers.iter().map(|worker| Arc::clone(&worker.pairs)).collect();
    let mut known: Vec<(Vec<Session>, Vec<Pair>)> = Vec::new();
    thread::scope(|scope| {
        for worker in &mut workers {
            let (stop, address) = (Arc::clone(&stop), server.address);
            scope.spawn(move || worker.run(address, &stop));
        }
        for cut in 0..cuts {
            let compaction = (cut % 2 == 1).then(|| server.compact(&disk.data()));
            thread::sleep(Duration::from_millis(150));
            stand_still(&server);
            // The server is frozen, so this is all that was acknowledged, and all that is in progress.
            let sessions = ledgers.iter().flat_map(|ledger| ledger.lock().unwrap().clone()).collect();
            known.push((sessions, pairs.iter().flat_map(|pairs| pairs.lock().unwrap().clone()).collect()));
            run("cp", &["--sparse=always", text(&image), text(&copy_path(folder.path(), cut))]);
            server.signal("CONT");
            if let Some(compaction) = compaction {
                assert!(compaction.wait(), "an online compaction failed");
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    server.kill();
    drop(disk);
    let mut checked = 0;
    for (cut, (mut sessions, mut pairs)) in known.into_iter().enumerate() {
        checked += check_copy(folder.path(), &copy_path(folder.path(), cut), &log, &mut sessions, &mut pairs);
    }
    println!("{cuts} power cuts, values up to {large} bytes: {checked} acknowledged sessions checked, none missing");
    assert!(checked > cuts * 10, "the load was too small to prove anything");
}

/// Freezes the process and waits until its last system call is over and its last replies are read.
fn stand_still(server: &Server) {
    server.signal("STOP");
    loop {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap();
        let stopped = |task: std::io::Result<std::fs::DirEntry>| {
            let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap_or_default();
            stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with(['T', 't']))
        };
        if tasks.into_iter().all(stopped) {
            break;
        }
        thread::sleep(Duration::from_millis(2));
    }
    thread::sleep(Duration::from_millis(30));
}

/// Starts on what the power cut left and checks every claim.
fn check_copy(folder: &Path, image: &Path, log: &Path, sessions: &mut [Session], pairs: &mut [Pair]) -> usize {
    let disk = Disk::mount(folder, image);
    let server = Server::start(&disk.data(), log);
    let mut client = server.client();
    for session in sessions.iter_mut() {
        session.check(&mut client);
    }
    pairs.iter_mut().for_each(|pair| pair.check(&mut client));
    server.stop();
    drop(disk);
    std::fs::remove_file(image).unwrap();
    sessions.len()
}

fn copy_path(folder: &Path, cut: usize) -> PathBuf {
    folder.join(format!("cut-{cut}.img"))
}

/// A mounted image; unmounted on drop.
struct Disk {
    mount: PathBuf,
}

impl Disk {
    /// A fresh file system.
    fn make(folder: &Path, image: &Path, mib: u64) -> Self {
        File::create(image).unwrap().set_len(mib << 20).unwrap();
        run("mkfs.ext4", &["-q", "-F", text(image)]);
        Self::mount(folder, image)
    }

    fn mount(folder: &Path, image: &Path) -> Self {
        let mount = folder.join("mnt");
        std::fs::create_dir_all(&mount).unwrap();
        run("mount", &["-o", "loop", text(image), text(&mount)]);
        Self { mount }
    }

    fn data(&self) -> PathBuf {
        self.mount.join("data")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &[text(&self.mount)]);
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub(crate) fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors} (this test needs root and loop devices)");
}
