//! Folders: intact ones to start with, the damage done to them, and the outcome of a start.

use super::blow::{Blow, Program};
use crate::ledger::Session;
use crate::load::Worker;
use crate::people::Pair;
use rand::rngs::StdRng;
use rand::{Rng, RngExt};
use sessiond::domain::entropy::Entropy;
use sessiond::domain::time::{BootId, Clock, SteadyMillis, UnixMillis};
use sessiond::store::sled::{self, Options};
use sessiond::store::{Engine, Key, Keyspace, Scan, clock};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Everything a store holds.
pub(super) type Contents = BTreeMap<Key, Vec<u8>>;

const WORKERS: u64 = 4;

/// A clock that stands still, and bytes that differ: what a folder holds does not depend on them.
struct Still;

impl Clock for Still {
    fn now(&self) -> UnixMillis {
        UnixMillis(0)
    }

    fn steady(&self) -> SteadyMillis {
        SteadyMillis(0)
    }

    fn boot(&self) -> BootId {
        BootId::UNKNOWN
    }
}

impl Entropy for Still {
    fn fill(&self, bytes: &mut [u8]) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let value = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes.iter_mut().zip(value.iter().cycle()).for_each(|(place, byte)| *place = *byte);
    }
}

pub(super) fn options() -> Options {
    Options { reserve_bytes: 0, ..Options::new(Arc::new(Still), Arc::new(Still)) }
}

/// A folder in memory where the system supports it, because many are copied.
pub(super) fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

pub(super) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy_folder(&entry.path(), &target);
        } else if kind.is_file() {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Every file with its contents, except for the process id in the lock.
pub(super) fn bytes_of(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("lock") {
                found.insert(path.clone(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Runs asynchronous work to its end.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

pub(super) async fn dump(engine: &dyn Engine) -> Contents {
    let mut contents = Contents::new();
    for keyspace in Keyspace::ALL {
        let mut start = Key::of(keyspace);
        loop {
            let scan = Scan { start, end: None, reverse: false, limit: 500 };
            let rows = engine.begin().scan(&scan).await.unwrap();
            let Some((last, _)) = rows.last().cloned() else { break };
            start = last.raw(&[0]);
            contents.extend(rows);
        }
    }
    contents
}

/// The outcome of starting on a folder.
#[derive(PartialEq, Eq)]
pub(super) enum Verdict {
    Whole(Contents),
    /// The reason of the refusal.
    Refused(String),
}

impl std::fmt::Debug for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(contents) => write!(f, "{} records", contents.len()),
            Self::Refused(reason) => write!(f, "refused: {reason}"),
        }
    }
}

/// Starts a server, stops it, and reads what is there.
pub(super) fn verdict(data: &Path) -> Verdict {
    let started = Program::serve(data).run(&Blow::None);
    if !started.is_done {
        let (_, reason) = started.err.rsplit_once("What caused the crash: ").unwrap_or(("", &started.err));
        return Verdict::Refused(reason.replace(data.to_str().unwrap(), "DATA"));
    }
    Program::serve(data).start().stop();
    Verdict::Whole(contents(data))
}

/// Reads a folder that opens, except for what every server records about its clock.
pub(super) fn contents(data: &Path) -> Contents {
    let engine = sled::open(data, &options()).unwrap_or_else(|error| panic!("{error}")).0;
    let notes = [clock::key(), clock::sweep_key()];
    block_on(async {
        let mut contents = dump(&engine).await;
        contents.retain(|key, _| !notes.contains(key));
        engine.close().await.unwrap();
        contents
    })
}

/// Intact folders written by a server, and what its clients know.
pub(super) struct Ground {
    /// Two snapshots and a journal after them, stopped cleanly.
    pub(super) stopped: PathBuf,
    /// The contents of `stopped`.
    pub(super) contents: Contents,
    /// How many users there are.
    pub(super) users: u64,
    killed: PathBuf,
    killed_contents: Contents,
    /// One snapshot and no journal, stopped cleanly.
    compacted: PathBuf,
    /// What clients know about `stopped` and `killed`.
    ledgers: [(Vec<Session>, Vec<Pair>); 2],
}

/// Records that a folder has at least.
const ENOUGH: usize = 500;

impl Ground {
    pub(super) fn make(at: &Path) -> Self {
        let [stopped, killed, compacted] = ["stopped", "killed", "compacted"].map(|name| at.join(name));
        let mut workers: Vec<_> =
            (0..WORKERS).map(|number| Worker::new(format!("user{number}"), number, 6000)).collect();
        for _ in 0..2 {
            load(&stopped, &mut workers, false);
            let engine = sled::open(&stopped, &options()).unwrap().0;
            engine.snapshot().unwrap();
            block_on(engine.close()).unwrap();
        }
        let copy = at.join("to-read");
        let read = |folder: &Path| {
            copy_folder(folder, &copy);
            let found = contents(&copy);
            fs::remove_dir_all(&copy).unwrap();
            found
        };
        // A busy machine takes several loads.
        for _ in 0..10 {
            load(&stopped, &mut workers, false);
            if read(&stopped).len() > ENOUGH {
                break;
            }
        }
        let known = |workers: &[Worker]| {
            let sessions = workers.iter().flat_map(|worker| worker.sessions.lock().unwrap().clone()).collect();
            (sessions, workers.iter().flat_map(|worker| worker.pairs.lock().unwrap().clone()).collect())
        };
        let of_stopped = known(&workers);
        copy_folder(&stopped, &killed);
        load(&killed, &mut workers, true);
        let of_killed = known(&workers);
        copy_folder(&stopped, &compacted);
        let compaction = Program::on(&compacted, &["compact"]).run(&Blow::None);
        assert!(compaction.is_done, "{}", compaction.err);
        let (contents, killed_contents) = (read(&stopped), read(&killed));
        assert!(contents.len() > ENOUGH, "the load was too small to prove anything: {}", contents.len());
        copy_folder(&stopped, &copy);
        let server = Program::serve(&copy).start();
        let count = server.client().send("GET", "/users/count", None).unwrap().json();
        server.kill();
        fs::remove_dir_all(&copy).unwrap();
        let users = count["count"].as_u64().unwrap();
        Self { stopped, contents, users, killed, killed_contents, compacted, ledgers: [of_stopped, of_killed] }
    }

    /// The folders hold what clients were told; everywhere else, rows are compared with rows.
    pub(super) fn check_ledgers(&self, at: &Path) {
        let copy = at.join("to-check");
        for (folder, (sessions, pairs)) in [&self.stopped, &self.killed].into_iter().zip(&self.ledgers) {
            copy_folder(folder, &copy);
            let server = Program::serve(&copy).start();
            let mut client = server.client();
            sessions.clone().iter_mut().for_each(|session| session.check(&mut client));
            pairs.clone().iter_mut().for_each(|pair| pair.check(&mut client));
            println!("{} sessions and {} pairs are as their clients left them", sessions.len(), pairs.len());
            server.kill();
            fs::remove_dir_all(&copy).unwrap();
        }
    }
}

/// Clients that work for a moment.
fn load(data: &Path, workers: &mut [Worker], is_killed: bool) {
    let server = Program::serve(data).start();
    let (stop, address) = (Arc::new(AtomicBool::new(false)), server.client().address());
    thread::scope(|scope| {
        for worker in workers {
            let stop = Arc::clone(&stop);
            scope.spawn(move || worker.run(address, &stop));
        }
        thread::sleep(Duration::from_millis(700));
        if is_killed {
            server.kill();
        } else {
            stop.store(true, Ordering::Relaxed);
            // Clients end after their request; connections that are idle then do not delay the stop.
            server.stop();
        }
    });
}

/// The folder that is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    Stopped,
    Killed,
    Compacted,
    Nothing,
}

/// The damage done to a folder before it is started.
pub(super) struct Damage {
    pub(super) name: &'static str,
    to: To,
    parts: &'static [Part],
    /// Afterwards it is impossible to know what was there.
    pub(super) is_refused: bool,
}

#[derive(Debug, Clone, Copy)]
enum Part {
    FlipSegment,
    LoseSegment,
    FlipNewestSnapshot,
    FlipSnapshots,
    FlipIndex,
    Lose(&'static str),
    GarbageAfterTheLastFrame,
}

const fn damage(name: &'static str, to: To, parts: &'static [Part]) -> Damage {
    Damage { name, to, parts, is_refused: false }
}

const fn refused(name: &'static str, to: To, parts: &'static [Part]) -> Damage {
    Damage { name, to, parts, is_refused: true }
}

use self::Part::{
    FlipIndex, FlipNewestSnapshot, FlipSegment, FlipSnapshots, GarbageAfterTheLastFrame, Lose, LoseSegment,
};

pub(super) const DAMAGES: [Damage; 16] = [
    damage("journal bit", To::Stopped, &[FlipSegment]),
    damage("segment lost", To::Stopped, &[LoseSegment]),
    damage("newest snapshot", To::Stopped, &[FlipNewestSnapshot]),
    damage("snapshots and journal", To::Stopped, &[FlipSnapshots, FlipSegment]),
    damage("identity and journal", To::Stopped, &[Lose("identity"), FlipSegment]),
    damage("note and journal", To::Stopped, &[Lose("acked"), FlipSegment]),
    damage("index bit", To::Stopped, &[FlipIndex]),
    damage("note after compaction", To::Compacted, &[Lose("acked")]),
    damage("note, index, compaction", To::Compacted, &[Lose("acked"), Lose("index")]),
    damage("identity", To::Killed, &[Lose("identity")]),
    damage("torn write", To::Killed, &[GarbageAfterTheLastFrame]),
    damage("note and index", To::Killed, &[Lose("acked"), Lose("index")]),
    damage("snapshot, killed", To::Killed, &[FlipNewestSnapshot]),
    damage("no folder", To::Nothing, &[]),
    refused("journal bit, killed", To::Killed, &[FlipSegment]),
    refused("journal and index", To::Stopped, &[FlipSegment, FlipIndex]),
];

impl Damage {
    /// Creates the damaged folder at `at`.
    pub(super) fn inflict(&self, ground: &Ground, at: &Path, rng: &mut StdRng) {
        match self.to {
            To::Stopped => copy_folder(&ground.stopped, at),
            To::Killed => copy_folder(&ground.killed, at),
            To::Compacted => copy_folder(&ground.compacted, at),
            To::Nothing => fs::create_dir(at).unwrap(),
        }
        for part in self.parts {
            part.inflict(at, rng);
        }
    }

    /// A new folder has different keys and a different id each time, so only its kinds of rows can be compared.
    pub(super) fn comparable(&self, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::Whole(contents) if self.to == To::Nothing => {
                Verdict::Whole(contents.into_keys().map(|key| (Key::of(key.keyspace), Vec::new())).collect())
            }
            verdict => verdict,
        }
    }

    /// The expected contents in the end, if known.
    pub(super) fn contents<'a>(&self, ground: &'a Ground) -> Option<&'a Contents> {
        match self.to {
            To::Stopped | To::Compacted => Some(&ground.contents),
            To::Killed => Some(&ground.killed_contents),
            To::Nothing => None,
        }
    }
}

impl Part {
    fn inflict(self, at: &Path, rng: &mut StdRng) {
        let files = |part: &str| {
            let mut found: Vec<_> = fs::read_dir(at.join(part)).unwrap().map(|entry| entry.unwrap().path()).collect();
            found.sort();
            found
        };
        // The segment that recovery needs is the last one with frames in it.
        let segment = || {
            let used = |path: &PathBuf| used(&fs::read(path).unwrap()) > 1000;
            files("journal").into_iter().rfind(used).expect("a segment with frames")
        };
        match self {
            Self::FlipSegment => flip(&segment(), rng),
            Self::LoseSegment => fs::remove_file(segment()).unwrap(),
            Self::FlipNewestSnapshot => flip(files("snapshot").last().unwrap(), rng),
            Self::FlipSnapshots => files("snapshot").iter().for_each(|path| flip(path, rng)),
            Self::FlipIndex => flip(&at.join("index").join("db"), rng),
            Self::Lose(name) => {
                let path = at.join(name);
                if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
            }
            Self::GarbageAfterTheLastFrame => {
                let path = segment();
                let mut bytes = fs::read(&path).unwrap();
                // A frame may end with zeros.
                let end = used(&bytes).next_multiple_of(8) + 256;
                bytes.resize(bytes.len().max(end + 64), 0);
                bytes[end..end + 12].copy_from_slice(b"SFRM\x99\0\0\0torn");
                fs::write(path, bytes).unwrap();
            }
        }
    }
}

/// The length of a file without the zeros reserved at its end.
fn used(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

/// Flips a bit in the middle third.
fn flip(path: &Path, rng: &mut StdRng) {
    let mut bytes = fs::read(path).unwrap();
    let third = used(&bytes) / 3;
    bytes[third + rng.random_range(0..third)] ^= 1 << (rng.next_u32() % 8);
    fs::write(path, bytes).unwrap();
}
