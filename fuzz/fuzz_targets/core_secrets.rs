//! Texts of a core: stored signing keys, and refresh tokens in its form.
#![no_main]

use sessiond::crypto::core_key::read_core_key;
use sessiond::crypto::v2_refresh_token::V2RefreshKey;
use sessiond::domain::secret::Secret;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let _ = read_core_key(&text);
    let key = V2RefreshKey::new(Secret::new("1000:00:00".to_owned()));
    assert!(key.open(&text).is_none(), "opened a token that nobody sealed");
    assert!(key.open(&format!("{text}.V2")).is_none(), "opened a token that nobody sealed");
});
