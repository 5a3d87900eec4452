//! Record bytes: versions, checksums, limits.

use serde::{Deserialize, Serialize};
use sessiond::record;
use sessiond::store::codec::{self, MAX_RECORD};
use sessiond::store::{Encoding, Key, Keyspace, StoreError};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct NoteV1 {
    pub(super) text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NoteV2 {
    text: String,
    stars: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Note {
    text: Option<String>,
    stars: u32,
}

record!(NoteV1, Meta, version 1);
record!(NoteV2, Meta, version 2 after NoteV1);
record!(Note, Meta, version 3 after NoteV2);

impl From<NoteV1> for NoteV2 {
    fn from(old: NoteV1) -> Self {
        Self { text: old.text, stars: 1 }
    }
}

impl From<NoteV2> for Note {
    fn from(old: NoteV2) -> Self {
        Self { text: Some(old.text), stars: old.stars }
    }
}

fn key() -> Key {
    Key::of(Keyspace::Meta).text("note")
}

fn damage<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Err(error @ StoreError::Damaged { .. }) => error.to_string(),
        other => panic!("not reported as damage: {other:?}"),
    }
}

#[test]
fn a_record_reads_back_in_both_encodings() {
    let note = Note { text: Some("zähl\0".to_owned()), stars: u32::MAX };
    for encoding in [Encoding::Binary, Encoding::Json] {
        let bytes = codec::encode(encoding, &key(), &note).unwrap();
        assert_eq!(codec::decode::<Note>(encoding, &key(), &bytes).unwrap(), note);
        codec::check(encoding, &key(), &bytes).unwrap();
    }
}

#[test]
fn the_bytes_are_version_then_checksum_then_content() {
    let bytes = codec::encode(Encoding::Binary, &key(), &NoteV2 { text: "a".to_owned(), stars: 2 }).unwrap();
    assert_eq!(bytes[0], 2);
    assert_eq!(&bytes[5..], [1, b'a', 2]);
    let sum = crc32fast::hash(b"\x01note\0\0\x02\x01a\x02");
    assert_eq!(bytes[1..5], sum.to_le_bytes());
    let json = codec::encode(Encoding::Json, &key(), &NoteV2 { text: "a".to_owned(), stars: 2 }).unwrap();
    assert_eq!(json, br#"{"v":2,"record":{"text":"a","stars":2}}"#);
}

#[test]
fn an_old_version_is_migrated_step_by_step() {
    for encoding in [Encoding::Binary, Encoding::Json] {
        let bytes = codec::encode(encoding, &key(), &NoteV1 { text: "old".to_owned() }).unwrap();
        let note: Note = codec::decode(encoding, &key(), &bytes).unwrap();
        assert_eq!(note, Note { text: Some("old".to_owned()), stars: 1 });
    }
}

#[test]
fn an_unknown_version_is_refused_by_name() {
    for encoding in [Encoding::Binary, Encoding::Json] {
        let bytes = codec::encode(encoding, &key(), &Note { text: None, stars: 1 }).unwrap();
        let message = damage(codec::decode::<NoteV2>(encoding, &key(), &bytes));
        assert!(
            message.contains("version 3 of this record is not known to this sessiond, the newest is 2"),
            "{message}"
        );
    }
    let mut zero = codec::encode(Encoding::Json, &key(), &NoteV1 { text: String::new() }).unwrap();
    zero[5] = b'0';
    damage(codec::decode::<Note>(Encoding::Json, &key(), &zero));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let good = codec::encode(Encoding::Binary, &key(), &NoteV2 { text: "hello".to_owned(), stars: 9 }).unwrap();
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        damage(codec::decode::<NoteV2>(Encoding::Binary, &key(), &bad));
        damage(codec::check(Encoding::Binary, &key(), &bad));
    }
    for length in 0..good.len() {
        damage(codec::decode::<NoteV2>(Encoding::Binary, &key(), &good[..length]));
    }
}

#[test]
fn bytes_under_another_key_are_noticed() {
    let bytes = codec::encode(Encoding::Binary, &key(), &NoteV1 { text: "mine".to_owned() }).unwrap();
    let other = Key::of(Keyspace::Meta).text("other");
    damage(codec::decode::<NoteV1>(Encoding::Binary, &other, &bytes));
    let same_bytes_elsewhere = Key { keyspace: Keyspace::App, ..key() };
    damage(codec::decode::<NoteV1>(Encoding::Binary, &same_bytes_elsewhere, &bytes));
}

#[test]
fn bytes_left_over_are_refused() {
    let mut bytes = codec::encode(Encoding::Binary, &key(), &NoteV1 { text: "a".to_owned() }).unwrap();
    bytes.push(0);
    damage(codec::decode::<NoteV1>(Encoding::Binary, &key(), &bytes));
}

#[test]
fn a_record_above_the_cap_is_refused_and_one_below_is_not() {
    for encoding in [Encoding::Binary, Encoding::Json] {
        let fits = NoteV1 { text: "x".repeat(MAX_RECORD - 64) };
        let bytes = codec::encode(encoding, &key(), &fits).unwrap();
        assert_eq!(codec::decode::<NoteV1>(encoding, &key(), &bytes).unwrap(), fits);
        let above = NoteV1 { text: "x".repeat(MAX_RECORD + 1) };
        let error = codec::encode(encoding, &key(), &above).unwrap_err();
        assert!(matches!(error, StoreError::TooLarge { limit: MAX_RECORD, .. }), "{error}");
    }
}

#[test]
fn the_golden_bytes_of_every_version_decode() {
    let newest = Note { text: Some("hello".to_owned()), stars: 300 };
    super::golden::newest("test-note", &key(), &newest);
    super::golden::any_version("test-note", 1, &Note { text: Some("first".to_owned()), stars: 1 });
    super::golden::any_version("test-note", 2, &Note { text: Some("second".to_owned()), stars: 2 });
}
