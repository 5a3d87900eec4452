//! Requests with a body and a query to every endpoint, in every version of the protocol.
//!
//! The first line names endpoint, version and optionally a recipe (`POST /recipe/signinup 5.4 thirdparty`), and may end
//! with a query (`DELETE /recipe/dashboard/user 5.4 ?email=a%40example.org`), which is sent as it is. The rest is the
//! body. In both, `$A`, `$R`, `$H`, `$P` and `$T` are replaced by a valid access token, refresh token, session handle,
//! id of a user with a password and password-reset token, so that inputs get past the first check.
#![no_main]

use sessiond_fuzz::{ALL, SERVER, split_line, split_query};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (line, body) = split_line(data);
    let (line, query) = split_query(&line);
    let (endpoint, headers) = ALL.choose(line);
    let query = SERVER.fill_in(query);
    match std::str::from_utf8(body) {
        Ok(text) => {
            let body = SERVER.fill_in(text);
            SERVER.ask(endpoint.method.clone(), endpoint.path, &query, headers, body.as_bytes())
        }
        Err(_) => SERVER.ask(endpoint.method.clone(), endpoint.path, &query, headers, body),
    };
});
