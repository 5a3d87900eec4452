//! What browsers send to the front door.

use super::load::Script;
use super::scripts::{Pool, Tokens, give, ok, take};
use super::wire;
use std::sync::Arc;

/// The page that uses the front door; on this machine, as in development.
const PAGE: &str = "http://localhost:3000";

/// A request with the headers that Chromium and the official frontend SDK send. `cookies`: empty for none.
fn request(verb: &str, path: &str, cookies: &str, body: Option<&str>) -> Vec<u8> {
    let mut text = format!(
        "{verb} {path} HTTP/1.1\r\nhost: localhost:3568\r\nconnection: keep-alive\r\nrid: anti-csrf\r\n\
         fdi-version: 1.16,1.17,1.18,1.19,2.0,3.0,3.1,4.0,4.1\r\nst-auth-mode: cookie\r\naccept: */*\r\n\
         origin: {PAGE}\r\nsec-fetch-site: same-site\r\nsec-fetch-mode: cors\r\nsec-fetch-dest: empty\r\n\
         referer: {PAGE}/\r\naccept-encoding: gzip, deflate, br, zstd\r\naccept-language: en-GB,en;q=0.9\r\n\
         user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0\r\n"
    );
    if !cookies.is_empty() {
        text += &format!("cookie: {cookies}\r\n");
    }
    if let Some(body) = body {
        text += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    }
    text += "\r\n";
    text += body.unwrap_or_default();
    text.into_bytes()
}

/// A GET.
pub(crate) fn get(path: &str, cookies: &str) -> Vec<u8> {
    request("GET", path, cookies, None)
}

/// A POST; `body`: empty for none.
pub(crate) fn post(path: &str, cookies: &str, body: &str) -> Vec<u8> {
    request("POST", path, cookies, Some(body))
}

/// The preflight request that precedes one with the SDK's headers.
pub(crate) fn preflight(path: &str) -> Vec<u8> {
    let asked = "access-control-request-method: POST\r\naccess-control-request-headers: fdi-version,rid,st-auth-mode";
    let text = format!(
        "OPTIONS {path} HTTP/1.1\r\nhost: localhost:3568\r\nconnection: keep-alive\r\naccept: */*\r\n{asked}\r\n\
         origin: {PAGE}\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0\r\n\
         sec-fetch-mode: cors\r\nsec-fetch-site: same-site\r\nsec-fetch-dest: empty\r\nreferer: {PAGE}/\r\n\r\n"
    );
    text.into_bytes()
}

/// The body of a sign-in or sign-up.
pub(crate) fn form(email: &str) -> String {
    format!(
        "{{\"formFields\":[{{\"id\":\"email\",\"value\":\"{email}\"}},\
         {{\"id\":\"password\",\"value\":\"correct horse battery 1\"}}]}}"
    )
}

/// Both cookies of a session, as sent to the route that refreshes it.
pub(crate) fn cookies(tokens: &Tokens) -> String {
    format!("sAccessToken={}; sRefreshToken={}", tokens.access, tokens.refresh)
}

/// Accepts an empty preflight reply.
pub(crate) struct Preflight(pub(crate) Vec<u8>);

impl Script for Preflight {
    fn next(&mut self) -> Option<&[u8]> {
        Some(&self.0)
    }

    fn answer(&mut self, status: u16, _body: &[u8]) -> Result<(), String> {
        if status == 204 { Ok(()) } else { Err(format!("status {status}")) }
    }
}

/// The tokens that a reply's cookies hold.
fn tokens_in(head: &[u8]) -> Option<Tokens> {
    let value = |name: &[u8]| {
        let rest = head.get(wire::find(head, name)? + name.len()..)?;
        let text = rest.get(..rest.iter().position(|byte| *byte == b';')?)?;
        std::str::from_utf8(text).ok().map(str::to_owned)
    };
    Some(Tokens { access: value(b"sAccessToken=")?, refresh: value(b"sRefreshToken=")? })
}

/// Signs people up, each with an address of their own; a pool keeps the first of their sessions.
pub(crate) struct SignUps {
    pool: Pool,
    number: usize,
    person: usize,
    kept: usize,
    left: usize,
    request: Vec<u8>,
}

impl SignUps {
    /// `number` distinguishes the connections; `kept` sessions of each are kept, and there are at most `most`.
    pub(crate) fn new(pool: &Pool, number: usize, kept: usize, most: usize) -> Self {
        Self { pool: Arc::clone(pool), number, person: 0, kept, left: most, request: Vec::new() }
    }
}

impl Script for SignUps {
    fn next(&mut self) -> Option<&[u8]> {
        self.left = self.left.checked_sub(1)?;
        self.person += 1;
        let email = format!("person{}@c{}.example.org", self.person, self.number);
        self.request = post("/auth/signup", "", &form(&email));
        Some(&self.request)
    }

    fn head(&mut self, head: &[u8]) {
        if let Some(tokens) = tokens_in(head).filter(|_| self.kept > 0) {
            self.kept -= 1;
            give(&self.pool, tokens);
        }
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        ok(status, body)
    }
}

/// Refreshes sessions of a pool in turn, each with the token from its previous refresh.
pub(crate) struct RefreshAround {
    pool: Pool,
    request: Vec<u8>,
    renewed: Option<Tokens>,
}

impl RefreshAround {
    /// Goes round and round in `pool`.
    pub(crate) fn new(pool: &Pool) -> Self {
        Self { pool: Arc::clone(pool), request: Vec::new(), renewed: None }
    }
}

impl Script for RefreshAround {
    fn next(&mut self) -> Option<&[u8]> {
        self.request = post("/auth/session/refresh", &cookies(&take(&self.pool)?), "");
        Some(&self.request)
    }

    fn head(&mut self, head: &[u8]) {
        self.renewed = tokens_in(head);
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        if status != 200 {
            return Err(format!("{status}: {}", String::from_utf8_lossy(body)));
        }
        give(&self.pool, self.renewed.take().ok_or("no tokens")?);
        Ok(())
    }
}

/// A visit in miniature: sign up, ask for the mail, look at one's sessions, refresh, sign out.
pub(crate) struct Visit {
    number: usize,
    person: usize,
    step: usize,
    tokens: Option<Tokens>,
    request: Vec<u8>,
}

/// Requests of one [`Visit`].
const STEPS: usize = 48;

impl Visit {
    /// `number` distinguishes the connections.
    pub(crate) fn new(number: usize) -> Self {
        // Connections do not all do the same thing at the same time.
        Self { number, person: 0, step: number % STEPS, tokens: None, request: Vec::new() }
    }
}

impl Script for Visit {
    fn next(&mut self) -> Option<&[u8]> {
        self.request = match &self.tokens {
            None => {
                self.person += 1;
                post("/auth/signup", "", &form(&format!("visitor{}@c{}.example.org", self.person, self.number)))
            }
            Some(tokens) if self.step == STEPS - 1 => post("/auth/signout", &cookies(tokens), ""),
            Some(tokens) if self.step == STEPS / 2 => post("/auth/session/refresh", &cookies(tokens), ""),
            Some(tokens) if self.step == STEPS / 4 => post("/auth/user/email/verify/token", &cookies(tokens), ""),
            Some(_) if self.step.is_multiple_of(8) => get("/auth/jwt/jwks.json", ""),
            Some(tokens) => get("/auth/totp/device/list", &cookies(tokens)),
        };
        Some(&self.request)
    }

    fn head(&mut self, head: &[u8]) {
        self.tokens = tokens_in(head).or(self.tokens.take());
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        self.step += 1;
        if self.step >= STEPS {
            (self.step, self.tokens) = (0, None);
        }
        if status == 200 { Ok(()) } else { Err(format!("{status}: {}", String::from_utf8_lossy(body))) }
    }
}
