//! Archives of apps: a good one with a few bytes changed, and rows of any content in a good file.
//!
//! Of a changed archive, what is read to its end is what was written. An app comes in whole or leaves nothing; one that came in can
//! be looked at and deleted.
#![no_main]

use sessiond::control::{Task, UsersWanted, WantedImport};
use sessiond::domain::ids::AppId;
use sessiond::store::archive::ArchiveReader;
use sessiond::store::{Key, Keyspace, Scan};
use sessiond_fuzz::stored::{edited, entry, is_named, rows, snapshot};
use sessiond_fuzz::{SERVER, wait};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A good archive, and a place for bad ones.
struct Archive {
    path: PathBuf,
    good: Vec<u8>,
    label: Vec<u8>,
    rows: Vec<(Key, Vec<u8>)>,
}

static ARCHIVE: LazyLock<Archive> = LazyLock::new(|| {
    let folder = std::env::temp_dir();
    let path = folder.join(format!("sessiond-fuzz-{}.archive", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let export = Task::AppsExport { app: AppId::base(), to: path.clone(), key: None, plain: true };
    SERVER.task(export).expect("an archive");
    let good = std::fs::read(&path).expect("an archive");
    let label = ArchiveReader::open(&path).expect("an archive").1;
    let rows = read(&path).expect("a good archive");
    Archive { path, good, label, rows }
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    match data.split_first() {
        Some((b'c', edits)) => changed(edits),
        Some((b'r', data)) => made(data),
        _ => {}
    }
});

fn read(path: &Path) -> Option<Vec<(Key, Vec<u8>)>> {
    let refused = |error| assert!(is_named(&error), "{error}");
    let mut archive = ArchiveReader::open(path).map_err(refused).ok()?.0;
    let mut rows = Vec::new();
    while let Some((key, value)) = archive.advance().map_err(refused).ok()? {
        rows.push((key, value.to_vec()));
    }
    Some(rows)
}

fn changed(edits: &[u8]) {
    std::fs::write(&ARCHIVE.path, edited(&ARCHIVE.good, edits)).expect("a file");
    if let Some(rows) = read(&ARCHIVE.path) {
        assert!(rows == ARCHIVE.rows, "other rows than were written, without a word");
    }
}

fn made(data: &[u8]) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let rows = rows(data, &AppId::base());
    let mut block = entry(&[&[Keyspace::Meta as u8], b"archive of an app".as_slice()].concat(), 0, &ARCHIVE.label);
    for (key, value) in &rows {
        block.extend(entry(&[&[key.keyspace as u8], key.bytes.as_slice()].concat(), 0, value));
    }
    let length = u32::try_from(block.len()).expect("a short block");
    let bytes = snapshot(&ARCHIVE.good[..64], &[(length, lz4_flex::block::compress(&block))], rows.len() as u64 + 1);
    std::fs::write(&ARCHIVE.path, bytes).expect("a file");
    let id = format!("in{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let app = AppId { app_id: id.clone(), ..AppId::base() };
    let wanted = WantedImport { from: ARCHIVE.path.clone(), as_id: Some(id), domain: None, key: None };
    if SERVER.task(Task::AppsImport(wanted)).is_ok() {
        let wanted = UsersWanted { tenant: "public".to_owned(), limit: 10, ..UsersWanted::default() };
        let look = [
            Task::AppsShow { app: app.clone() },
            Task::TenantsList { app: app.clone() },
            Task::KeysList { app: app.clone() },
            Task::DashboardUsersList { app: app.clone() },
            Task::UsersList { app: app.clone(), wanted },
            Task::Audit { app: app.clone(), user: None, kind: None, limit: 10, from: None, to: None },
        ];
        look.into_iter().for_each(|task| drop(SERVER.task(task)));
        if SERVER.task(Task::AppsDelete { app: app.clone(), with_tenants: true }).is_err() {
            return;
        }
    }
    for keyspace in Keyspace::ALL {
        let start = Key::of_app(keyspace, &app);
        let scan = Scan { end: start.prefix_end(), start, reverse: false, limit: 1 };
        let left = wait(async { SERVER.context().store.begin().scan(&scan).await.expect("a scan") });
        assert!(left.is_empty(), "{} is left", left[0].0);
    }
}
