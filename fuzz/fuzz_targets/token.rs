//! Access tokens: arbitrary text, JSON in the shape of a token, and valid tokens with a few characters changed.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sessiond::crypto::access_token::parse_unverified;
use sessiond_fuzz::{NOW, SERVER, changed};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let token = match kind {
        b'j' => {
            let mut parts = rest.splitn(3, |byte| *byte == b'\n').map(|part| URL_SAFE_NO_PAD.encode(part));
            let mut part = || parts.next().unwrap_or_default();
            format!("{}.{}.{}", part(), part(), part())
        }
        b'c' => changed(&SERVER.access_token, rest),
        _ => String::from_utf8_lossy(rest).into_owned(),
    };
    let _ = parse_unverified(&token);
    let verified = SERVER.ring.tokens.verify(&token, NOW);
    assert!(verified.is_err() || token == SERVER.access_token, "accepted a token that nobody signed: {token}");
    let remembered = SERVER.context().verified.verify(&SERVER.ring, &token, NOW);
    assert!(remembered.is_err() || token == SERVER.access_token, "remembered a token that nobody signed: {token}");
});
