//! Bodies of every endpoint that takes one, in every version of the protocol.
//!
//! The first line names endpoint, version and perhaps a recipe (`POST /recipe/signinup 5.4 thirdparty`), what follows is the
//! body. `$A`, `$R`, `$H`, `$P` and `$T` in it become a good access token, refresh token, session handle, id of a user with
//! a password and password-reset token, so that inputs get past the first check.
#![no_main]

use sessiond_fuzz::{BODIES, SERVER, split_line};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (line, body) = split_line(data);
    let (endpoint, headers) = BODIES.choose(&line);
    match std::str::from_utf8(body) {
        Ok(text) => SERVER.ask(endpoint.method.clone(), endpoint.path, "", headers, SERVER.fill_in(text).as_bytes()),
        Err(_) => SERVER.ask(endpoint.method.clone(), endpoint.path, "", headers, body),
    };
});
