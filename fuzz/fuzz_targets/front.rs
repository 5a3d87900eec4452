//! Requests of browsers to every route of the front door: paths, cookies, headers, JSON and forms of any content.
//!
//! The first line is method and target (`POST /auth/signin`), the next ones are headers, and after an empty line comes
//! the body. Everywhere `$A` and `$R` are replaced by a valid access token and refresh token, so that inputs get past the
//! first check. A page of another site never gets a cookie set or cleared, whatever it sends.
#![no_main]

use http::Method;
use http::header::{ORIGIN, SET_COOKIE};
use sessiond_fuzz::{FRONT, headers};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let (head, body) = (FRONT.fill_in(head), FRONT.fill_in(body));
    let mut lines = head.lines();
    let (method, target) = lines.next().unwrap_or_default().split_once(' ').unwrap_or(("GET", "/"));
    let Ok(method) = Method::from_bytes(method.as_bytes()) else { return };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = headers(lines);
    let is_strange = headers.get_all(ORIGIN).iter().any(|origin| !origin.as_bytes().starts_with(b"http://localhost"));
    let changes = method != Method::GET && method != Method::HEAD;
    let reply = FRONT.ask(method, path, query, headers, body.as_bytes());
    let sets_cookies = reply.headers.iter().any(|(name, _)| name == SET_COOKIE);
    assert!(!(is_strange && changes && sets_cookies), "a page of another site has changed cookies");
});
