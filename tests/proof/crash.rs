//! The crash test: concurrent load, `kill -9` at a random moment, start again, check, and so on.

use crate::load::Worker;
use crate::server::{Compaction, Server};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

/// Rounds of the full suite. `SESSIOND_PROOF_ROUNDS` sets a higher number, `SESSIOND_CRASH_SEED` repeats a run's
/// choices.
const ROUNDS: u64 = 100;
/// Concurrent clients.
const WORKERS: usize = 8;

#[test]
fn crash_loses_nothing_that_was_acknowledged() {
    let seed =
        crate::from_environment("SESSIOND_CRASH_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let rounds = crate::rounds().unwrap_or(ROUNDS);
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("data"), folder.path().join("server.log"));
    println!("seed {seed}, {rounds} rounds");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut workers: Vec<Worker> =
        (0..WORKERS).map(|index| Worker::new(format!("user{index}"), seed ^ index as u64, 20_000)).collect();
    let (mut checked, mut compacted) = (0, 0);
    for round in 0..rounds {
        if rng.random_range(0..10) == 0 {
            kill_while_starting(&data, &log, rng.random_range(0..80));
        }
        let server = Server::start(&data, &log);
        let mut client = server.client();
        checked += workers.iter_mut().map(|worker| worker.check(&mut client, 20, 5)).sum::<usize>();
        // All sessions that may have an unanswered request are among the newest.
        workers.iter().for_each(|worker| _ = worker.check_people(&mut client, 10));
        let delay = Duration::from_millis(rng.random_range(5..250));
        let compaction = rng.random_bool(0.5).then(|| server.compact(&data));
        run_until_killed(&mut workers, server, delay);
        compacted += u32::from(compaction.is_some_and(Compaction::wait));
        if round % 20 == 19 {
            let acknowledged: u64 = workers.iter().map(|worker| worker.acknowledged).sum();
            println!("round {}: {acknowledged} writes acknowledged, {checked} sessions checked", round + 1);
        }
    }
    let server = Server::start(&data, &log);
    let mut client = server.client();
    let total: usize = workers.iter_mut().map(|worker| worker.check(&mut client, usize::MAX, 0)).sum();
    let people: usize = workers.iter().map(|worker| worker.check_people(&mut client, usize::MAX)).sum();
    println!("end: all {total} sessions and {people} pairs of people are as their clients left them");
    println!("{compacted} compactions had finished when the server was killed, the others had not");
    assert!(total > 100 && people > 20, "the load was too small to prove anything");
    server.stop();
    let check = Command::new(env!("CARGO_BIN_EXE_sessiond")).args(["check", "--data-dir"]).arg(&data).output().unwrap();
    assert!(check.status.success(), "sessiond check: {}", String::from_utf8_lossy(&check.stdout));
}

/// All workers at once, until the server is killed under them.
fn run_until_killed(workers: &mut [Worker], server: Server, delay: Duration) {
    let address = server.address;
    let stop = Arc::new(AtomicBool::new(false));
    thread::scope(|scope| {
        for worker in workers.iter_mut() {
            let stop = Arc::clone(&stop);
            scope.spawn(move || worker.run(address, &stop));
        }
        thread::sleep(delay);
        server.kill();
    });
}

/// A crash in the middle of a start, including recovery.
fn kill_while_starting(data: &Path, log: &Path, after_ms: u64) {
    let mut child = Server::command(data, log).spawn().unwrap();
    thread::sleep(Duration::from_millis(after_ms));
    let _ = child.kill();
    child.wait().unwrap();
}
