//! Golden bytes: the permanent stored format of each version of a record.
//!
//! One file per version, `tests/fixtures/records/<name>-v<n>.hex` (the name is the keyspace's, or longer where it holds
//! several types): the key on the first line, the value on the second. A new version adds a file; an existing file
//! never changes. To write a new one, run the test once with `SESSIOND_WRITE_GOLDEN=1` and check the result.

use sessiond::store::codec::{self, Record};
use sessiond::store::{Encoding, Key};
use std::fmt::Debug;
use std::path::PathBuf;

/// The newest version: encodes to the fixture's bytes, and the fixture decodes to the record.
pub(crate) fn newest<R: Record + PartialEq + Debug>(name: &str, key: &Key, record: &R) {
    let bytes = codec::encode(Encoding::Binary, key, record).unwrap();
    let text = format!("{}\n{}\n", hex(&key.bytes), hex(&bytes));
    let path = path(name, R::VERSION);
    if !path.exists() && std::env::var_os("SESSIOND_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(kept, text, "{}: a stored version never changes; add a new one", path.display());
    any_version(name, R::VERSION, record);
}

/// A version of any age: its fixture decodes to `record`, migrated.
pub(crate) fn any_version<R: Record + PartialEq + Debug>(name: &str, version: u8, record: &R) {
    let path = path(name, version);
    let kept = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (key, value) = kept.trim_end().split_once('\n').unwrap();
    let key = Key::of(R::KEYSPACE).raw(&unhex(key));
    let decoded: R = codec::decode(Encoding::Binary, &key, &unhex(value)).unwrap();
    assert_eq!(decoded, *record, "{}", path.display());
}

fn path(name: &str, version: u8) -> PathBuf {
    let name = format!("{name}-v{version}.hex");
    [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", "records", &name].iter().collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
