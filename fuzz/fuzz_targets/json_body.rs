//! Bodies of the endpoints that take one, in every version of the protocol.
//!
//! The first byte chooses the endpoint (0 to 9, then a to z), the second the version; `$A`, `$R`, `$H` in the rest become a good access
//! token, refresh token and handle, so that inputs get past the first check.
#![no_main]

use http::Method;
use sessiond_fuzz::{SERVER, headers};

const ENDPOINTS: [(Method, &str); 30] = [
    (Method::POST, "/recipe/session"),
    (Method::POST, "/recipe/session/verify"),
    (Method::POST, "/recipe/session/refresh"),
    (Method::POST, "/recipe/session/regenerate"),
    (Method::POST, "/recipe/session/remove"),
    (Method::PUT, "/recipe/session/data"),
    (Method::PUT, "/recipe/jwt/data"),
    (Method::POST, "/recipe/jwt"),
    (Method::POST, "/recipe/handshake"),
    (Method::PUT, "/recipe/multitenancy/tenant/v2"),
    (Method::PUT, "/recipe/role"),
    (Method::POST, "/recipe/role/remove"),
    (Method::POST, "/recipe/role/permissions/remove"),
    (Method::PUT, "/recipe/user/role"),
    (Method::POST, "/recipe/user/role/remove"),
    (Method::PUT, "/recipe/user/metadata"),
    (Method::POST, "/recipe/user/metadata/remove"),
    (Method::POST, "/recipe/user/metadata/bulk"),
    (Method::POST, "/recipe/user/email/verify/token"),
    (Method::POST, "/recipe/user/email/verify"),
    (Method::POST, "/recipe/user/email/verify/token/remove"),
    (Method::POST, "/recipe/user/email/verify/remove"),
    (Method::POST, "/recipe/multitenancy/tenant/remove"),
    (Method::POST, "/recipe/accountlinking/user/primary"),
    (Method::POST, "/recipe/accountlinking/user/link"),
    (Method::POST, "/recipe/accountlinking/user/unlink"),
    (Method::POST, "/recipe/userid/map"),
    (Method::POST, "/recipe/userid/map/remove"),
    (Method::PUT, "/recipe/userid/external-user-id-info"),
    (Method::POST, "/user/remove"),
];
const VERSIONS: [&str; 7] = ["2.7", "2.21", "3.1", "4.0", "5.0", "5.4", "5.6"];

/// `0` to `9` and `a` to `z` in seeds that people read; any other byte means something as well.
fn digit(byte: u8) -> usize {
    match byte {
        b'a'..=b'z' => usize::from(byte - b'a') + 10,
        _ => usize::from(byte.wrapping_sub(b'0')),
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [endpoint, version, body @ ..] = data else { return };
    let (method, path) = ENDPOINTS[digit(*endpoint) % ENDPOINTS.len()].clone();
    let version = format!("cdi-version: {}", VERSIONS[digit(*version) % VERSIONS.len()]);
    let headers = headers(std::iter::once(version.as_str()));
    match std::str::from_utf8(body) {
        Ok(text) => SERVER.ask(method, path, "", headers, SERVER.fill_in(text).as_bytes()),
        Err(_) => SERVER.ask(method, path, "", headers, body),
    };
});
