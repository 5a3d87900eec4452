//! The storage interface: one conformance suite for every engine, record bytes, and what only the sled engine
//! guarantees.

mod activity;
mod bulk_import;
mod clock;
mod codec;
mod conformance;
mod counting;
mod damage;
#[cfg(target_os = "linux")]
mod disk_error;
#[cfg(target_os = "linux")]
mod disk_full;
pub(crate) mod golden;
mod heal;
mod maintenance;
mod records;
mod recovery;
mod reindex;
mod restore_in_place;
mod rot;
mod tenancy;
mod user;
mod user_listing;
mod user_listing_v1;
mod userroles;

use sessiond::domain::entropy::Entropy;
use sessiond::store::sled::{Options, SledEngine};
use sessiond::store::{Engine, Key, Keyspace, Scan, StoreError};
use sessiond::system::SystemClock;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Bytes that differ from call to call and from test to test.
struct Counting;

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let value = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (place, byte) in bytes.iter_mut().zip(value.iter().cycle()) {
            *place = *byte;
        }
    }
}

/// Options for tests: small segments, no reserve, snapshots at full speed.
pub(crate) fn options() -> Options {
    Options {
        reserve_bytes: 0,
        snapshot_duty: 100,
        cache_bytes: 8 << 20,
        ..Options::new(Arc::new(SystemClock), Arc::new(Counting))
    }
}

/// An engine on `path`, with [`options`].
pub(crate) fn sled_engine(path: &Path) -> Arc<SledEngine> {
    let (engine, _) = sessiond::store::sled::open(path, &options()).unwrap();
    Arc::new(engine)
}

/// Everything an engine holds.
pub(crate) type Contents = BTreeMap<Key, Vec<u8>>;

/// Reads everything, page by page.
pub(crate) async fn dump(engine: &dyn Engine) -> Contents {
    try_dump(engine).await.unwrap()
}

/// Reads everything, page by page, as long as it can be read.
pub(crate) async fn try_dump(engine: &dyn Engine) -> Result<Contents, StoreError> {
    let mut contents = Contents::new();
    for keyspace in Keyspace::ALL {
        let mut start = Key::of(keyspace);
        loop {
            let scan = Scan { start, end: None, reverse: false, limit: 500 };
            let rows = engine.begin().scan(&scan).await?;
            let Some((last, _)) = rows.last().cloned() else { break };
            start = last.raw(&[0]);
            contents.extend(rows);
        }
    }
    Ok(contents)
}

/// The rows of one kind.
pub(crate) async fn rows_of(engine: &dyn Engine, keyspace: Keyspace) -> Vec<(Key, Vec<u8>)> {
    let scan = Scan { start: Key::of(keyspace), end: None, reverse: false, limit: usize::MAX };
    engine.begin().scan(&scan).await.unwrap()
}

/// Searches all keys and all values for secrets: none of the given forms may be stored.
pub(crate) async fn assert_holds_none_of(engine: &dyn Engine, secrets: &[&[u8]]) {
    let contents = dump(engine).await;
    assert!(contents.len() > 5, "{} rows are too few to have a secret in them", contents.len());
    for (key, value) in &contents {
        for secret in secrets {
            let found = [&key.bytes, value].into_iter().any(|held| held.windows(secret.len()).any(|at| at == *secret));
            assert!(!found, "{key}");
        }
    }
}

/// Writes records numbered by `range` in transactions of different shapes, some large; returns all contents.
pub(crate) async fn fill(engine: &dyn Engine, range: Range<usize>) -> Contents {
    for n in range {
        let mut tx = engine.begin();
        let id = (n as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835).to_be_bytes();
        let size = if n % 37 == 5 { 100_000 + n } else { 40 + n % 500 };
        let value =
            |salt: usize| -> Vec<u8> { (0..size).map(|i| ((i * 7 + n * salt) % 253).to_le_bytes()[0]).collect() };
        let session = Key::of(Keyspace::Session).text("").text("public").raw(&id);
        let version = tx.get(&session).await.unwrap().map_or(1, |old| old.len());
        tx.put(session, value(version));
        tx.put(Key::of(Keyspace::SessionByUser).text("").text(&format!("user{}", n % 50)).raw(&id), Vec::new());
        if n % 10 == 3 {
            tx.delete(Key::of(Keyspace::Timeline).text("").raw(&[(n % 7).to_le_bytes()[0]]));
        } else {
            tx.put(Key::of(Keyspace::Timeline).text("").raw(&[(n % 11).to_le_bytes()[0]]), value(3));
        }
        tx.commit().await.unwrap();
    }
    dump(engine).await
}

/// Removes every third record.
pub(crate) async fn remove_some(engine: &dyn Engine) {
    for (key, _) in dump(engine).await.into_iter().step_by(3) {
        let mut tx = engine.begin();
        tx.delete(key);
        tx.commit().await.unwrap();
    }
}

/// Copies a folder with all its contents.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::write(target, read_at_one_moment(&entry.path())).unwrap();
        }
    }
}

/// A file as it was at one moment, though it may be written to meanwhile: a later part that was read later than an
/// earlier one would be a file that never existed. Journals only grow, so what two readings agree on was there between
/// them.
fn read_at_one_moment(path: &Path) -> Vec<u8> {
    let mut read = std::fs::read(path).unwrap();
    loop {
        let again = std::fs::read(path).unwrap();
        if again == read {
            return read;
        }
        read = again;
    }
}

/// A folder in memory where the system supports it: these tests concern bytes, not the disk's speed.
pub(crate) fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}
