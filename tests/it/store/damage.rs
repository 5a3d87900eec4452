//! Every kind of damage to every kind of file: what was acknowledged is there and exact, or the damage is reported.
//!
//! The cases are the same in every run. Each works on a copy of one of two folders: one that was stopped cleanly, and
//! one that was copied while in use (which is what a killed process leaves behind).

use super::codec::NoteV1;
use super::{Contents, copy_folder, dump, options, scratch, sled_engine};
use sessiond::store::data_folder::{check, salvage};
use sessiond::store::maintenance::NoAudit;
use sessiond::store::sled::{self, Options, Start};
use sessiond::store::{Encoding, Engine, Key, Keyspace, StoreError, codec};
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

/// A small, fast, seeded stream; the cases must not depend on anything else.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below.max(1) as u64).unwrap()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    CutAnywhere,
    CutInTheUsedPart,
    CutAtABlock,
    ZeroABlock,
    ZeroTheUsedTail,
    FlipABit,
    FlipABitInTheUsedPart,
    Delete,
    GarbageTail,
    Empty,
}

const KINDS: [Damage; 10] = [
    Damage::CutAnywhere,
    Damage::CutInTheUsedPart,
    Damage::CutAtABlock,
    Damage::ZeroABlock,
    Damage::ZeroTheUsedTail,
    Damage::FlipABit,
    Damage::FlipABitInTheUsedPart,
    Damage::Delete,
    Damage::GarbageTail,
    Damage::Empty,
];

impl Damage {
    fn inflict(self, path: &Path, dice: &mut Dice) {
        let mut bytes = fs::read(path).unwrap();
        // Journal and sled reserve zeros ahead; damage there proves little.
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        match self {
            Self::CutAnywhere => bytes.truncate(dice.roll(bytes.len())),
            Self::CutInTheUsedPart => bytes.truncate(dice.roll(used)),
            Self::CutAtABlock => bytes.truncate(dice.roll(used) / 4096 * 4096),
            Self::ZeroABlock => {
                let start = dice.roll(used.max(1)) / 4096 * 4096;
                let end = (start + 4096).min(bytes.len());
                bytes[start..end].fill(0);
            }
            Self::ZeroTheUsedTail => {
                let start = used.saturating_sub(1 + dice.roll(700));
                bytes[start..used].fill(0);
            }
            Self::FlipABit if bytes.is_empty() => {}
            Self::FlipABit => {
                let place = dice.roll(bytes.len());
                bytes[place] ^= 1 << dice.roll(8);
            }
            Self::FlipABitInTheUsedPart if used == 0 => {}
            Self::FlipABitInTheUsedPart => {
                let place = dice.roll(used);
                bytes[place] ^= 1 << dice.roll(8);
            }
            Self::Delete => return fs::remove_file(path).unwrap(),
            Self::GarbageTail => bytes.extend((0..1 + dice.roll(9000)).map(|n| (n * 31 % 251).to_le_bytes()[0])),
            Self::Empty => bytes.clear(),
        }
        fs::write(path, bytes).unwrap();
    }
}

/// The outcome of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Whole,
    Named,
}

struct Subject {
    name: &'static str,
    folder: tempfile::TempDir,
    expected: Contents,
    history: History,
}

/// What each frame wrote: a commit by itself is a frame, and the first has number 1.
#[derive(Default)]
struct History(Vec<Vec<(Key, Option<Vec<u8>>)>>);

impl History {
    async fn commit(&mut self, engine: &dyn Engine, writes: Vec<(Key, Option<Vec<u8>>)>) {
        let mut tx = engine.begin();
        for (key, value) in writes.clone() {
            match value {
                Some(value) => tx.put(key, value),
                None => tx.delete(key),
            }
        }
        tx.commit().await.unwrap();
        self.0.push(writes);
    }

    /// Writes records numbered by `range`, some large, some that exist already; returns all contents.
    async fn fill(&mut self, engine: &dyn Engine, range: Range<usize>) -> Contents {
        for n in range {
            let id = (n as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835).to_be_bytes();
            let size = if n % 37 == 5 { 100_000 + n } else { 40 + n % 500 };
            let salt = self.0.len();
            let text: String =
                (0..size).map(|at| char::from(b"etaoinshrdlucmfwypvbgkjqxz"[(at * 7 + salt) % 26])).collect();
            let session = Key::of(Keyspace::Session).text("").text("public").raw(&id);
            let by_user = Key::of(Keyspace::SessionByUser).text("").text(&format!("user{}", n % 50)).raw(&id);
            let timeline = Key::of(Keyspace::Timeline).text("").raw(&[(n % 11).to_le_bytes()[0]]);
            let of_timeline = (n % 10 != 3).then(|| record(&timeline, &text));
            let value = record(&session, &text);
            let writes = vec![(session, Some(value)), (by_user, Some(Vec::new())), (timeline, of_timeline)];
            self.commit(engine, writes).await;
        }
        dump(engine).await
    }

    /// Removes every third record.
    async fn remove_some(&mut self, engine: &dyn Engine) {
        for (key, _) in dump(engine).await.into_iter().step_by(3) {
            self.commit(engine, vec![(key, None)]).await;
        }
    }

    /// The last frame that wrote or removed a key.
    fn last(&self, key: &Key) -> u64 {
        let place = self.0.iter().rposition(|frame| frame.iter().any(|(written, _)| written == key));
        place.unwrap_or_else(|| panic!("{key} was never written")) as u64 + 1
    }

    fn has(&self, key: &Key, value: &[u8]) -> bool {
        self.0.iter().flatten().any(|(written, was)| written == key && was.as_deref() == Some(value))
    }
}

/// A record's bytes, checksum included.
fn record(key: &Key, text: &str) -> Vec<u8> {
    let place = Key::of(Keyspace::Meta).text("note");
    let bytes = codec::encode(Encoding::Binary, &place, &NoteV1 { text: text.to_owned() }).unwrap();
    codec::moved(Encoding::Binary, &place, key, &bytes).unwrap()
}

fn small() -> Options {
    Options { segment_bytes: 64 << 10, ..options() }
}

/// A folder with snapshots, several segments, large values; stopped cleanly, or copied while in use.
async fn subject(name: &'static str) -> Subject {
    let origin = scratch();
    let mut history = History::default();
    let engine = sled::open(origin.path(), &small()).unwrap().0;
    history.fill(&engine, 0..120).await;
    engine.snapshot().unwrap();
    history.remove_some(&engine).await;
    history.fill(&engine, 100..200).await;
    engine.snapshot().unwrap();
    history.fill(&engine, 190..260).await;
    engine.close().await.unwrap();
    drop(engine);
    // Two runs, so that the killed one has an index with something in it.
    let engine = sled::open(origin.path(), &small()).unwrap().0;
    history.fill(&engine, 260..300).await;
    history.remove_some(&engine).await;
    let expected = history.fill(&engine, 300..330).await;
    let folder = scratch();
    if name == "clean" {
        engine.close().await.unwrap();
    }
    copy_folder(origin.path(), folder.path());
    Subject { name, folder, expected, history }
}

fn files(root: &Path, below: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(root, &path, found);
        } else {
            found.push(path.strip_prefix(root).unwrap().to_owned());
        }
    }
    found.sort();
}

/// Opens the damaged folder and judges the result; a panic that gets out is a failure of the test.
fn judge(path: &Path, expected: &Contents, label: &str) -> End {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let opened = std::panic::catch_unwind(AssertUnwindSafe(|| sled::open(path, &small())));
    let engine = match opened.unwrap_or_else(|_| panic!("{label}: a raw panic")) {
        Ok((engine, _)) => engine,
        Err(error @ StoreError::Damaged { .. }) => {
            let text = error.to_string();
            assert!(text.contains("sessiond restore") || text.contains("sessiond salvage"), "{label}: {text}");
            return End::Named;
        }
        Err(other) => panic!("{label}: not reported as damage: {other}"),
    };
    runtime.block_on(async {
        let contents = dump(&engine).await;
        assert!(contents == *expected, "{label}: {} records instead of {}", contents.len(), expected.len());
        // It continues to work, and the next start finds nothing to complain about.
        let mut tx = engine.begin();
        tx.put(Key::of(Keyspace::Meta).text("after"), b"damage".to_vec());
        tx.commit().await.unwrap();
        engine.close().await.unwrap();
        drop(engine);
        let (engine, report) = sled::open(path, &small()).unwrap_or_else(|error| panic!("{label}: again: {error}"));
        assert_eq!(report.start, Start::Clean, "{label}: {report:?}");
        assert_eq!(dump(&engine).await.len(), expected.len() + 1, "{label}");
    });
    End::Whole
}

fn kind_of(file: &Path) -> &'static str {
    let text = file.to_string_lossy();
    match file.components().next().unwrap().as_os_str().to_str().unwrap() {
        "acked" => "acked",
        "journal" => "journal",
        "snapshot" => "snapshot",
        "index" if text.contains("snap.") => "index snap",
        "index" if text.ends_with("conf") => "index conf",
        "index" => "index db",
        "clean" => "marker",
        "identity" => "identity",
        "lock" => "lock",
        other => panic!("unexpected file {other}"),
    }
}

/// Runs the cases of one subject; returns the outcomes for each kind of file.
fn run(subject: &Subject, seed: u64) -> BTreeMap<(&'static str, End), usize> {
    let mut found = Vec::new();
    files(subject.folder.path(), subject.folder.path(), &mut found);
    let mut tally = BTreeMap::new();
    let mut dice = Dice(seed);
    for file in &found {
        for kind in KINDS {
            let copy = scratch();
            copy_folder(subject.folder.path(), copy.path());
            kind.inflict(&copy.path().join(file), &mut dice);
            let label = format!("{} {} {kind:?}", subject.name, file.display());
            if dice.roll(8) == 0 {
                // Checking a damaged folder changes nothing about what follows.
                check(copy.path(), &mut NoAudit, &|_| {}).unwrap_or_else(|error| panic!("{label}: check: {error}"));
            }
            let end = judge(copy.path(), &subject.expected, &label);
            if end == End::Named && dice.roll(4) == 0 {
                salvaged(copy.path(), subject, file, &label);
            }
            *tally.entry((kind_of(file), end)).or_default() += 1;
        }
    }
    tally
}

/// Frames that were in one segment of an undamaged folder.
fn frames_in(folder: &Path, segment: &Path) -> Range<u64> {
    let mut found = Vec::new();
    files(folder, &folder.join("journal"), &mut found);
    let number = |path: &Path| path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let next = found.iter().find(|path| path.as_path() > segment).map_or(u64::MAX, |path| number(path));
    number(segment)..next
}

/// The remedy that the error names works: everything that the undamaged files contain is in the new folder, nothing is
/// made up, and any loss is reported.
fn salvaged(path: &Path, subject: &Subject, damaged: &Path, label: &str) {
    let Subject { folder, expected, history, .. } = subject;
    let to = path.join("saved");
    let report = salvage(path, &to, &options(), &sessiond::store::tallies::is_note, &|_| {})
        .unwrap_or_else(|error| panic!("{label}: salvage: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let saved = runtime.block_on(async { dump(&sled::open(&to, &small()).unwrap().0).await });
    assert_eq!((report.records, report.unreadable), (saved.len() as u64, 0), "{label}: {report:?}");
    let in_doubt = frames_in(folder.path(), damaged);
    let is_known = |key: &Key| !in_doubt.contains(&history.last(key));
    for (key, value) in expected.iter().filter(|(key, _)| is_known(key)) {
        assert!(saved.get(key) == Some(value), "{label}: {key} is not saved");
    }
    for (key, value) in &saved {
        assert!(history.has(key, value), "{label}: {key} never had this value");
        assert!(expected.contains_key(key) || !is_known(key), "{label}: {key} is back");
    }
    let told = !report.findings.is_empty() && !report.warnings.is_empty();
    assert!(saved == *expected || told, "{label}: a loss without a word: {report:?}");
}

#[tokio::test]
async fn damage_heals_or_is_named_and_nothing_is_lost_in_silence() {
    let subjects = [subject("clean").await, subject("killed").await];
    let tallies = std::thread::scope(|scope| {
        let runs: Vec<_> = subjects.iter().map(|subject| scope.spawn(|| run(subject, 0x5EED))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect::<Vec<_>>()
    });
    let total: usize = tallies.iter().flat_map(BTreeMap::values).sum();
    println!("{total} cases: after a clean stop {:?}; after a kill {:?}", tallies[0], tallies[1]);
    assert!(total >= 200, "{total} cases");
    // After a clean stop one damaged file is always healed; after a kill only the journal cannot be replaced.
    for (kind, end) in tallies[0].keys() {
        assert_eq!(*end, End::Whole, "{kind} after a clean stop");
    }
    for (kind, end) in tallies[1].keys() {
        assert!(*end == End::Whole || *kind == "journal", "{kind} after a kill");
    }
    assert!(tallies[1].contains_key(&("journal", End::Named)));
}

#[tokio::test]
async fn damage_to_a_young_folder_without_snapshots_heals_or_is_named() {
    let folder = scratch();
    let origin = scratch();
    let mut history = History::default();
    let engine = sled_engine(origin.path());
    let expected = history.fill(engine.as_ref(), 0..40).await;
    copy_folder(origin.path(), folder.path());
    let subject = Subject { name: "young", folder, expected, history };
    let tally = std::thread::scope(|scope| scope.spawn(|| run(&subject, 0xCAFE)).join().unwrap());
    assert!(tally.keys().all(|(kind, end)| *end == End::Whole || *kind == "journal"), "{tally:?}");
}

fn snapshots(root: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(root.join("snapshot")).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

#[tokio::test]
async fn snapshots_with_each_others_names_are_not_taken_for_what_they_are_not() {
    for subject in [subject("clean").await, subject("killed").await] {
        let copy = |change: &dyn Fn(&Path, &Path)| {
            let copy = scratch();
            copy_folder(subject.folder.path(), copy.path());
            let [older, newer] = &snapshots(copy.path())[..] else { panic!("two snapshots") };
            change(older, newer);
            copy
        };
        let later = |path: &Path| path.with_file_name(format!("{:020}.snap", 100_000));
        let swap = copy(&|older, newer| {
            fs::rename(older, older.with_extension("x")).unwrap();
            fs::rename(newer, older).unwrap();
            fs::rename(older.with_extension("x"), newer).unwrap();
        });
        let renamed = copy(&|_, newer| fs::rename(newer, later(newer)).unwrap());
        let doubled = copy(&|older, newer| fs::copy(older, newer).map(drop).unwrap());
        for (what, folder) in [("swapped", &swap), ("renamed", &renamed), ("doubled", &doubled)] {
            let label = format!("{} {what}", subject.name);
            let report = check(folder.path(), &mut NoAudit, &|_| {}).unwrap();
            let named = |text: &str| text.contains("it is not the snapshot its name indicates");
            assert!(report.findings.iter().any(|finding| named(&finding.what)), "{label}: {report:?}");
            // Two snapshots and a shortened journal: only the index could replace both, and it must be trustworthy.
            let expected = if what == "swapped" && subject.name == "killed" { End::Named } else { End::Whole };
            let path = folder.path().to_owned();
            let contents = subject.expected.clone();
            let end = std::thread::spawn(move || judge(&path, &contents, &label)).join().unwrap();
            assert_eq!(end, expected, "{} {what}", subject.name);
        }
    }
}

#[tokio::test]
async fn parts_that_go_missing_together_never_make_an_older_or_an_empty_folder() {
    const PARTS: [&str; 7] = ["journal", "snapshot", "index", "acked", "identity", "clean", "lock"];
    let subjects = [subject("clean").await, subject("killed").await];
    let mut named = 0;
    for subject in &subjects {
        for case in 0..1_u32 << PARTS.len() {
            let gone = PARTS.iter().enumerate().filter(|(bit, _)| case & 1 << bit != 0).map(|(_, part)| *part);
            let gone: Vec<_> = gone.collect();
            // Then nothing shows that there ever was a folder; and doing it twice has the same effect as once.
            let nothing_left = gone.starts_with(&PARTS[..5]) && (gone.contains(&"clean") || subject.name == "killed");
            if nothing_left || subject.name == "killed" && gone.contains(&"clean") {
                continue;
            }
            let copy = scratch();
            copy_folder(subject.folder.path(), copy.path());
            for part in &gone {
                let path = copy.path().join(part);
                if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
            }
            let label = format!("{} without {gone:?}", subject.name);
            let report = check(copy.path(), &mut NoAudit, &|_| {}).unwrap_or_else(|error| panic!("{label}: {error}"));
            let (path, contents, about) = (copy.path().to_owned(), subject.expected.clone(), label.clone());
            if std::thread::spawn(move || judge(&path, &contents, &about)).join().unwrap() == End::Named {
                named += 1;
                assert!(report.found > 0, "{label}: check found nothing");
            }
        }
    }
    assert!(named > 20, "{named}");
}
