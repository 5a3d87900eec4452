//! Password hashes, as imported from elsewhere.
#![no_main]

use sessiond::crypto::password::StoredHash;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(hash) = StoredHash::parse(text) else { return };
    let written = hash.text();
    let again = StoredHash::parse(&written).expect("what is written can be read back");
    assert_eq!((again.text(), again.family()), (written, hash.family()));
});
