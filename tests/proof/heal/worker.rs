//! Snapshots and index rebuilds in the background, killed: another process of this test writes with small limits, so
//! that both happen all the time, and reports what was acknowledged.

use super::folder::{block_on, dump, options, scratch};
use super::{form, rng};
use rand::RngExt;
use sessiond::store::sled::maintenance::{NoAudit, check};
use sessiond::store::sled::{self, Options};
use sessiond::store::{CommitError, Engine, Key, Keyspace};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const FOLDER: &str = "SESSIOND_HEAL_WORKER";
/// Keys that are overwritten again and again, so that the index has much space to give back.
const KEYS: u64 = 200;

fn small() -> Options {
    Options {
        segment_bytes: 32 << 10,
        snapshot_after_bytes: 96 << 10,
        snapshot_duty: 100,
        reindex_above_bytes: 0,
        reindex_after: Duration::ZERO,
        ..options()
    }
}

fn key(number: u64) -> Key {
    Key::of(Keyspace::Meta).raw(&(number % KEYS).to_be_bytes())
}

fn value(number: u64) -> Vec<u8> {
    number.to_be_bytes().repeat(40 + usize::try_from(number % 90).unwrap())
}

fn newest(contents: &super::Contents) -> Option<u64> {
    contents.values().map(|value| u64::from_be_bytes(*value.first_chunk().unwrap())).max()
}

/// The code that the other process runs. In an ordinary test run there is nothing to do:
/// [`heal_snapshots_and_new_indexes_that_are_killed`] starts it.
#[test]
fn heal_worker() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let (engine, _) = match sled::open(Path::new(&folder), &small()) {
        Ok(opened) => opened,
        Err(error) => return println!("refused: {error}"),
    };
    let engine = Arc::new(engine);
    let compacting = Arc::clone(&engine);
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(60));
            let _ = compacting.compact(&|_| {});
        }
    });
    block_on(async {
        let first = newest(&dump(engine.as_ref()).await).map_or(0, |newest| newest + 1);
        for number in first.. {
            let mut tx = engine.begin();
            tx.put(key(number), value(number));
            match tx.commit().await {
                Ok(()) => println!("acknowledged {number}"),
                Err(CommitError::Conflict) => panic!("nothing was read"),
                Err(CommitError::Store(error)) => return println!("refused: {error}"),
            }
        }
    });
}

#[test]
fn heal_snapshots_and_new_indexes_that_are_killed() {
    let (rounds, mut rng) = (form().works * 2, rng("snapshots"));
    let folder = scratch();
    let data = folder.path().join("data");
    let (mut last, mut snapshots, mut refused) = (None, 0, 0);
    for round in 0..rounds {
        let mut command = Command::new("prlimit");
        // The index needs 4 MiB to start with.
        let limit: u64 = if rng.random_range(0..4) == 0 { rng.random_range(4 << 20..12 << 20) } else { 1 << 40 };
        command.arg(format!("--fsize={limit}")).arg("--").arg(std::env::current_exe().unwrap());
        command.args(["--exact", "heal::worker::heal_worker", "--nocapture"]).env(FOLDER, &data);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reader = std::thread::spawn(move || {
            let (mut acknowledged, mut refusal) = (None, None);
            for line in lines.map_while(Result::ok) {
                if let Some((_, number)) = line.split_once("acknowledged ") {
                    acknowledged = Some(number.parse::<u64>().unwrap());
                } else if let Some((_, why)) = line.split_once("refused: ") {
                    refusal = Some(why.to_owned());
                }
            }
            (acknowledged, refusal)
        });
        std::thread::sleep(Duration::from_millis(rng.random_range(20..900)));
        let _ = child.kill();
        child.wait().unwrap();
        let (acknowledged, refusal) = reader.join().unwrap();
        last = acknowledged.max(last);
        if let Some(why) = refusal {
            assert!(why.contains("limit on file sizes") && limit < 1 << 40, "round {round}: {why}");
            refused += 1;
        }
        let (engine, report) = sled::open(&data, &small()).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let contents = block_on(dump(&engine));
        let found = newest(&contents);
        // A write that was never answered may be there, too.
        assert!(found == last || found == last.map_or(Some(0), |last| Some(last + 1)), "{found:?} {last:?} {report:?}");
        for number in found.map_or(0..0, |found| (found + 1).saturating_sub(KEYS)..found + 1) {
            assert!(contents.get(&key(number)) == Some(&value(number)), "round {round}: {number} is not there");
        }
        last = found;
        block_on(engine.close()).unwrap();
        drop(engine);
        snapshots += fs::read_dir(data.join("snapshot")).map_or(0, Iterator::count);
        let findings = check(&data, &mut NoAudit, &|_| {}).unwrap().findings;
        // The values are not records.
        assert!(findings.iter().all(|finding| finding.what.contains("checksum")), "round {round}: {findings:?}");
    }
    println!("{last:?} writes, {snapshots} snapshots seen, {refused} of {rounds} rounds ended at the limit");
    assert!(snapshots > 0 && last > Some(100), "too little was written to prove anything");
}
