//! Queries of every GET endpoint, in every version of the protocol.
//!
//! The first line names path, version and optionally a recipe, and each further line one parameter, which is
//! percent-encoded; if it begins with `~`, its value is first encoded in base64, like the tokens of lists. `$H` and
//! `$P` are a valid session handle and the id of a user.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sessiond_fuzz::{QUERIES, SERVER, split_line};
use std::fmt::Write as _;

fn escaped(text: &[u8]) -> String {
    let mut escaped = String::new();
    for byte in text {
        if byte.is_ascii_alphanumeric() {
            escaped.push(char::from(*byte));
        } else {
            write!(escaped, "%{byte:02X}").expect("a string takes all");
        }
    }
    escaped
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (line, rest) = split_line(data);
    let (endpoint, headers) = QUERIES.choose(&line);
    let mut query = String::new();
    for parameter in rest.split(|byte| *byte == b'\n') {
        let mut parts = parameter.splitn(2, |byte| *byte == b'=');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let value = SERVER.fill_in(&String::from_utf8_lossy(value)).into_bytes();
        let (name, value) = match name.strip_prefix(b"~") {
            Some(name) => (name, STANDARD.encode(value).into_bytes()),
            None => (name, value),
        };
        write!(query, "{}={}&", escaped(name), escaped(&value)).expect("a string takes all");
    }
    SERVER.ask(endpoint.method.clone(), endpoint.path, &query, headers, b"");
});
