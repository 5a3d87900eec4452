//! Data folders and archives whose bytes a target may change, and what they contained before.

use sessiond::domain::ids::{AppId, TenantId, UserId};
use sessiond::domain::time::{BootId, Clock, SteadyMillis, UnixMillis};
use sessiond::domain::user::{Login, LoginMethod, User};
use sessiond::store::data_folder::check;
use sessiond::store::key::Belongs;
use sessiond::store::maintenance::{Audit, CheckReport, Finding};
use sessiond::store::sled::{self, Options, SledEngine};
use sessiond::store::{Engine, Key, Keyspace, StoreError, activity, user};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The contents of a store: keyspace byte and key, value.
pub type Contents = BTreeMap<Vec<u8>, Vec<u8>>;

/// A data folder on disk, of which one file is changed for each input.
pub struct Folder {
    root: PathBuf,
    /// The file that inputs change, relative to the folder.
    file: PathBuf,
    /// The original bytes of that file.
    pub good: Vec<u8>,
    /// The contents of the store after each frame, from 0 on.
    pub states: Vec<Contents>,
}

/// What was found in a folder.
pub struct Found {
    /// The findings of `sessiond check`.
    pub report: CheckReport,
    /// Every record that the check counted.
    pub contents: Contents,
}

/// Time that advances with each reading, like that of the folder's frames.
struct Ticking(std::sync::atomic::AtomicU64);

impl Clock for Ticking {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.fetch_add(1000, std::sync::atomic::Ordering::Relaxed))
    }

    fn steady(&self) -> SteadyMillis {
        SteadyMillis(0)
    }

    fn boot(&self) -> BootId {
        BootId::UNKNOWN
    }
}

/// Frames in the folders.
const FRAMES: u64 = 24;
/// The frame up to which there is a snapshot, in the folder that has one.
const SNAPSHOT_AFTER: u64 = 16;
/// Zeros left after the frames of the segment in use.
const RESERVED: usize = 64;

impl Folder {
    /// A folder as a kill leaves it, its journal whole from the first frame on. The file that changes is its first, its
    /// middle or its last segment (0, 1, 2). The last frame was written and never acknowledged.
    pub fn journal(segment: usize) -> Self {
        let name = format!("journal-{segment}");
        Self::killed(&name, false, &|files| {
            let segments: Vec<_> = files.iter().filter(|path| path.starts_with("journal")).collect();
            segments.get(segment * (segments.len() - 1) / 2).map(|path| (*path).clone())
        })
    }

    /// A folder as a kill leaves it, with a snapshot and the journal after it. The snapshot is changed.
    pub fn snapshot() -> Self {
        Self::killed("snapshot", true, &|files| files.iter().find(|path| path.starts_with("snapshot")).cloned())
    }

    fn killed(name: &str, with_snapshot: bool, choose: &dyn Fn(&[PathBuf]) -> Option<PathBuf>) -> Self {
        let root = std::env::temp_dir().join(format!("sessiond-fuzz-{}-{name}", std::process::id()));
        let origin = root.join("origin");
        let clock = Arc::new(Ticking(crate::NOW.0.into()));
        let options =
            Options { segment_bytes: 1 << 10, reserve_bytes: 0, ..Options::new(clock, Arc::new(crate::counting())) };
        let (engine, _) = sled::open(&origin, &options).expect("a folder");
        let runtime = crate::runtime();
        let mut states = vec![Contents::new()];
        for frame in 1..=FRAMES {
            runtime.block_on(write(&engine, frame));
            let mut contents = Contents::new();
            let row = &mut |key: &Key, value: &[u8]| {
                contents.insert([&[key.keyspace as u8], key.bytes.as_slice()].concat(), value.to_vec());
                Ok(())
            };
            engine.rows_now(row).expect("rows");
            states.push(contents);
            if with_snapshot && frame == SNAPSHOT_AFTER {
                engine.snapshot().expect("a snapshot");
            }
        }
        let copy = root.join("killed");
        let mut files = Vec::new();
        for part in ["journal", "snapshot"] {
            std::fs::create_dir_all(copy.join(part)).expect("a folder");
            for entry in std::fs::read_dir(origin.join(part)).into_iter().flatten() {
                let path = entry.expect("an entry").path();
                let name = Path::new(part).join(path.file_name().expect("a name"));
                if path.is_file() {
                    files.push((name, without_reserve(std::fs::read(&path).expect("a file"))));
                }
            }
        }
        files.sort();
        // The last frame was never acknowledged.
        files.push(("acked".into(), acknowledged(FRAMES - 1)));
        files.push(("identity".into(), std::fs::read(origin.join("identity")).expect("an identity")));
        drop(engine);
        for (name, bytes) in &files {
            std::fs::write(copy.join(name), bytes).expect("a file");
        }
        let names: Vec<_> = files.iter().map(|(name, _)| name.clone()).collect();
        let file = choose(&names).expect("the file to change");
        let good = files.into_iter().find(|(name, _)| *name == file).expect("its bytes").1;
        Self { root: copy, file, good, states }
    }

    /// Checks the folder with these bytes in its file.
    ///
    /// # Panics
    /// When the check cannot say what is wrong.
    pub fn check(&self, bytes: &[u8]) -> Found {
        std::fs::write(self.root.join(&self.file), bytes).expect("a file");
        let mut contents = Collect(Contents::new());
        match check(&self.root, &mut contents, &|_| {}) {
            Ok(report) => Found { report, contents: contents.0 },
            Err(error) => panic!("not reported as a finding: {error}"),
        }
    }
}

struct Collect(Contents);

impl Audit for Collect {
    fn record(&mut self, key: &Key, value: &[u8]) {
        let before = self.0.insert([&[key.keyspace as u8], key.bytes.as_slice()].concat(), value.to_vec());
        assert!(before.is_none(), "a key was counted twice");
    }

    fn finish(&mut self) -> Vec<Finding> {
        Vec::new()
    }
}

/// One frame: new users, changed marks, deleted users.
async fn write(engine: &SledEngine, frame: u64) {
    let person = |number: u64| {
        let id = UserId::new(format!("user-{number}"));
        let email = Some(format!("{number}@example.org"));
        User::new(LoginMethod {
            id,
            external: None,
            tenants: [TenantId::public()].into(),
            time_joined: crate::NOW,
            login: Login::Passwordless { email, phone_number: None },
        })
    };
    let mut tx = engine.begin();
    let (app, person_now) = (AppId::base(), person(frame));
    let before = frame.is_multiple_of(4).then(|| person(frame - 2));
    user::save(tx.as_mut(), &app, &before.iter().collect::<Vec<_>>(), &[&person_now])
        .await
        .expect("keys")
        .expect("new");
    activity::put(tx.as_mut(), &app, &UserId::new(format!("user-{}", frame % 5)), crate::NOW).await.expect("a mark");
    if frame.is_multiple_of(6) {
        tx.put(Key::of(Keyspace::UserMetadata).text("large"), Vec::new());
        tx.delete(Key::of(Keyspace::UserMetadata).text("large"));
    }
    tx.commit().await.expect("a commit");
}

fn without_reserve(mut bytes: Vec<u8>) -> Vec<u8> {
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.truncate((used.next_multiple_of(8) + RESERVED).min(bytes.len()));
    bytes
}

fn acknowledged(frame: u64) -> Vec<u8> {
    let number = frame.to_le_bytes();
    [number.as_slice(), &crc32fast::hash(&number).to_le_bytes()].concat()
}

/// Bytes changed as the fuzzer likes: a position and the new byte, or an operation at that position.
pub fn edited(good: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for edit in edits.chunks_exact(4) {
        if bytes.is_empty() {
            break;
        }
        let place = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % bytes.len();
        match edit[2] {
            0 => bytes[place] ^= edit[3].max(1),
            1 => bytes.truncate(place),
            2 => bytes[place..].fill(0),
            3 => drop(bytes.drain(place..(place + usize::from(edit[3])).min(bytes.len()))),
            4 => bytes.insert(place, edit[3]),
            // Repeats a piece, as if it had been written twice.
            5 => {
                let again = bytes[place..(place + 8 * usize::from(edit[3])).min(bytes.len())].to_vec();
                bytes.extend(again);
            }
            _ => bytes[place] = edit[3],
        }
    }
    bytes
}

/// Takes `N` bytes off the front.
pub fn take<const N: usize>(data: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = data.split_first_chunk::<N>()?;
    *data = rest;
    Some(*head)
}

/// Takes up to `count` bytes off the front.
pub fn take_up_to<'a>(data: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (head, rest) = data.split_at(count.min(data.len()));
    *data = rest;
    head
}

/// A frame of the journal around a body.
pub fn frame(number: u64, time: u64, kind: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a short body");
    let mut bytes = [b"SFRM".as_slice(), &length.to_le_bytes(), &number.to_le_bytes(), &time.to_le_bytes()].concat();
    bytes.extend(kind.to_le_bytes());
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes);
    hasher.update(body);
    bytes.extend(hasher.finalize().to_le_bytes());
    bytes.extend(body);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// The result of applying the writes of a body to `contents`; `None` if the bytes are not writes.
pub fn apply(contents: &mut Contents, mut body: &[u8]) -> Option<()> {
    while !body.is_empty() {
        let key = usize::from(u16::from_le_bytes(take(&mut body)?));
        let value = u32::from_le_bytes(take(&mut body)?);
        let (key, rest) = body.split_at_checked(key)?;
        body = rest;
        if value == u32::MAX {
            contents.remove(key);
            continue;
        }
        let (value, rest) = body.split_at_checked(usize::try_from(value).ok()?)?;
        body = rest;
        contents.insert(key.to_vec(), value.to_vec());
    }
    Some(())
}

/// A snapshot file around blocks, each with its stored bytes and its length before compression.
pub fn snapshot(header: &[u8], blocks: &[(u32, Vec<u8>)], rows: u64) -> Vec<u8> {
    let mut bytes = header.to_vec();
    let mut sums = crc32fast::Hasher::new();
    let part = |bytes: &mut Vec<u8>, raw: u32, stored: &[u8]| {
        let sum = crc32fast::hash(stored).to_le_bytes();
        bytes.extend(raw.to_le_bytes());
        bytes.extend(u32::try_from(stored.len()).expect("a short block").to_le_bytes());
        bytes.extend(sum);
        bytes.extend(stored);
        sum
    };
    for (raw, stored) in blocks {
        sums.update(&part(&mut bytes, *raw, stored));
    }
    let sums = sums.finalize().to_le_bytes();
    let count = u64::try_from(blocks.len()).expect("few blocks");
    let end = [rows.to_le_bytes().as_slice(), &count.to_le_bytes(), &sums, b"SESSEND\n"].concat();
    part(&mut bytes, 0, &end);
    bytes
}

/// An entry of a block.
pub fn entry(key: &[u8], frame: u64, value: &[u8]) -> Vec<u8> {
    let key_length = u16::try_from(key.len()).expect("a short key").to_le_bytes();
    let value_length = u32::try_from(value.len()).expect("a short value").to_le_bytes();
    [key_length.as_slice(), &frame.to_le_bytes(), &value_length, key, value].concat()
}

/// A record's bytes: any content with a valid checksum.
pub fn sealed(key: &Key, version: u8, content: &[u8]) -> Vec<u8> {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[key.keyspace as u8]);
    hasher.update(&key.bytes);
    hasher.update(&[version]);
    hasher.update(content);
    [&[version], hasher.finalize().to_le_bytes().as_slice(), content].concat()
}

/// Rows from an input: the keyspace byte, length of the rest of the key, that rest, version, length of the content (two
/// bytes), content. Version 0 is a raw value, version 255 none. All belong to `app`, except facts about the
/// installation.
pub fn rows(mut data: &[u8], app: &AppId) -> Vec<(Key, Vec<u8>)> {
    let mut rows = Vec::new();
    while let Some([keyspace, length]) = take(&mut data) {
        let other = || Keyspace::ALL[usize::from(keyspace) % Keyspace::ALL.len()];
        let keyspace = Keyspace::from_byte(keyspace).unwrap_or_else(other);
        let start =
            if keyspace.belongs() == Belongs::Installation { Key::of(keyspace) } else { Key::of_app(keyspace, app) };
        let key = start.raw(take_up_to(&mut data, length.into()));
        let version = take::<1>(&mut data).map_or(u8::MAX, |[version]| version);
        let length = take(&mut data).map_or(0, u16::from_le_bytes);
        let content = take_up_to(&mut data, length.into());
        let value = match version {
            0 => content.to_vec(),
            u8::MAX => Vec::new(),
            version => sealed(&key, version, content),
        };
        rows.push((key, value));
    }
    rows
}

/// True for an error that says what is wrong and what to do.
pub fn is_named(error: &StoreError) -> bool {
    matches!(error, StoreError::Damaged { place, what, way_out } if ![place, what, way_out].iter().any(|text| text.is_empty()))
        || matches!(error, StoreError::TooLarge { .. } | StoreError::Unusable { .. })
}
