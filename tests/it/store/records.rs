//! Which record is stored under which key: every kind that was ever stored can be read by its key alone.

use super::{options, scratch};
use sessiond::control::upkeep::Readable;
use sessiond::domain::ids::{AppId, UserId};
use sessiond::domain::time::UnixMillis;
use sessiond::store::data_folder::check;
use sessiond::store::sled;
use sessiond::store::{Encoding, Engine, Key, Keyspace, StoreError, activity, records};
use std::path::PathBuf;

/// Key and value of every golden record.
fn golden() -> Vec<(String, Key, Vec<u8>)> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", "records"].iter().collect();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let (key, value) = text.trim_end().split_once('\n').unwrap();
        let facts = ["test-note", "key_vault", "meta"];
        let named = Keyspace::ALL.into_iter().filter(|keyspace| name.starts_with(keyspace.name()));
        let keyspace = named.max_by_key(|keyspace| keyspace.name().len()).unwrap_or(Keyspace::Meta);
        assert!(keyspace != Keyspace::Meta || facts.iter().any(|fact| name.starts_with(fact)), "{name}");
        found.push((name, Key::of(keyspace).raw(&super::golden::unhex(key)), super::golden::unhex(value)));
    }
    assert!(found.len() > 40);
    found
}

#[test]
fn every_golden_record_is_found_by_its_key() {
    for (name, key, value) in golden() {
        records::check(Encoding::Binary, &key, &value).unwrap_or_else(|error| panic!("{name}: {error}"));
        let newest = records::rewrite(Encoding::Binary, &key, &value).unwrap();
        let again = records::rewrite(Encoding::Binary, &key, &newest).unwrap();
        assert_eq!(again, newest, "{name}");
    }
}

#[test]
fn a_record_that_is_no_such_record_is_named() {
    for (name, key, value) in golden().into_iter().filter(|(.., key, _)| key.keyspace != Keyspace::Meta) {
        for bytes in [&[0xFF; 40], &value[..value.len() - 1], &[&value[..], &[0]].concat()] {
            let error = records::check(Encoding::Binary, &key, bytes).unwrap_err();
            assert!(matches!(error, StoreError::Damaged { .. }), "{name}: {error}");
            assert!(!error.to_string().contains('\n'), "{name}: {error}");
        }
    }
}

#[tokio::test]
async fn a_check_names_records_that_are_whole_and_cannot_be_read() {
    let folder = scratch();
    let (engine, _) = sled::open(folder.path(), &options()).unwrap();
    let app = AppId::base();
    let mut tx = engine.begin();
    activity::put(tx.as_mut(), &app, &UserId::new("here"), UnixMillis(7)).await.unwrap();
    let key = Key::of_app(Keyspace::UserActive, &app).text("later");
    // Version 9, with a valid checksum.
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[Keyspace::UserActive as u8]);
    hasher.update(&key.bytes);
    hasher.update(&[9, 7]);
    let sum = hasher.finalize().to_le_bytes();
    tx.put(key, [&[9], sum.as_slice(), &[7]].concat());
    tx.commit().await.unwrap();
    let mut readable = Readable::default();
    let online = engine.check(&mut readable, &|_| {}).unwrap();
    engine.close().await.unwrap();
    let stopped = check(folder.path(), &mut Readable::default(), &|_| {}).unwrap();
    for report in [online, stopped] {
        assert_eq!(report.found, 1, "{report:?}");
        let what = &report.findings[0].what;
        assert_eq!(what, "version 9 of this record is not known to this sessiond, the newest is 1");
    }
}
