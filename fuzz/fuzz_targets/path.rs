//! Request lines and headers: `METHOD path?query`, then lines `name: value`.
#![no_main]

use http::Method;
use sessiond_fuzz::{SERVER, headers};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n');
    let Some((method, target)) = lines.next().and_then(|line| line.split_once(' ')) else { return };
    let Ok(method) = Method::try_from(method) else { return };
    let target = SERVER.fill_in(target);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    SERVER.ask(method, path, query, headers(lines), b"{}");
});
