//! Refresh tokens: arbitrary text, and a valid token with a few characters changed.
#![no_main]

use sessiond_fuzz::{SERVER, changed};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let token = match data.split_first() {
        Some((b'c', changes)) => changed(&SERVER.refresh_token, changes),
        _ => String::from_utf8_lossy(data).into_owned(),
    };
    let opened = SERVER.ring.refresh_sealing.open_refresh_token(&token);
    assert!(opened.is_none() || token == SERVER.refresh_token, "opened a token that nobody sealed: {token}");
});
