//! Conversations: the requests that a connection sends, one type per row of the table.

use super::load::Script;
use super::wire;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Accepts a 200 whose body begins with the protocol's success status.
pub(crate) fn ok(status: u16, body: &[u8]) -> Result<(), String> {
    if status == 200 && body.starts_with(b"{\"status\":\"OK\"") {
        return Ok(());
    }
    let text = String::from_utf8_lossy(body.get(..body.len().min(300)).unwrap_or_default());
    Err(format!("{status}: {text}"))
}

/// Always the same request.
pub(crate) struct Fixed {
    request: Vec<u8>,
    must_be_ok: bool,
}

impl Fixed {
    /// Any 200 will do.
    pub(crate) fn plain(request: Vec<u8>) -> Self {
        Self { request, must_be_ok: false }
    }

    /// The reply has to be the protocol's success status.
    pub(crate) fn ok(request: Vec<u8>) -> Self {
        Self { request, must_be_ok: true }
    }
}

impl Script for Fixed {
    fn next(&mut self) -> Option<&[u8]> {
        Some(&self.request)
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        if self.must_be_ok {
            return ok(status, body);
        }
        if status == 200 { Ok(()) } else { Err(format!("status {status}")) }
    }
}

/// Each of these requests once.
pub(crate) struct Once {
    left: VecDeque<Vec<u8>>,
    request: Vec<u8>,
}

impl Once {
    /// In this order; each reply has to be the protocol's success status.
    pub(crate) fn new(requests: Vec<Vec<u8>>) -> Self {
        Self { left: requests.into(), request: Vec::new() }
    }
}

impl Script for Once {
    fn next(&mut self) -> Option<&[u8]> {
        self.request = self.left.pop_front()?;
        Some(&self.request)
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        ok(status, body)
    }
}

/// The tokens of one session.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    /// Access token.
    pub(crate) access: String,
    /// Refresh token.
    pub(crate) refresh: String,
}

/// Sessions that scripts add and remove, shared by all connections of a server.
pub(crate) type Pool = Arc<Mutex<VecDeque<Tokens>>>;

/// An empty pool.
pub(crate) fn empty_pool() -> Pool {
    Arc::new(Mutex::new(VecDeque::new()))
}

/// How many sessions a pool holds.
pub(crate) fn pool_len(pool: &Pool) -> usize {
    pool.lock().unwrap_or_else(PoisonError::into_inner).len()
}

/// Takes the session that was in a pool for longest.
pub(crate) fn take(pool: &Pool) -> Option<Tokens> {
    pool.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

/// Puts a session into a pool.
pub(crate) fn give(pool: &Pool, tokens: Tokens) {
    pool.lock().unwrap_or_else(PoisonError::into_inner).push_back(tokens);
}

/// A create below the path of an app and tenant (empty: the public ones), with a short payload of claims and some data,
/// as an application would send it.
pub(crate) fn create_request(below: &str, user: u64) -> Vec<u8> {
    let body = format!(
        "{{\"userId\":\"{:08x}-5b1f-4c7e-9d3a-{:012x}\",\"userDataInJWT\":{{\"iss\":\"http://localhost:3001/auth\",\
         \"st-ev\":{{\"v\":true,\"t\":1767225600000}}}},\"userDataInDatabase\":{{\"theme\":\"dark\"}},\
         \"useDynamicSigningKey\":true,\"enableAntiCsrf\":false}}",
        user >> 32,
        user & 0xffff_ffff
    );
    wire::post(&format!("{below}/recipe/session"), wire::LEGACY, &body)
}

/// A verify without a prefix.
pub(crate) fn verify_request(access_token: &str, check_database: bool, cdi_version: &str) -> Vec<u8> {
    verify_request_below("", access_token, check_database, cdi_version)
}

/// A verify below the path of an app and tenant.
pub(crate) fn verify_request_below(
    below: &str,
    access_token: &str,
    check_database: bool,
    cdi_version: &str,
) -> Vec<u8> {
    let body = format!(
        "{{\"accessToken\":\"{access_token}\",\"enableAntiCsrf\":false,\"doAntiCsrfCheck\":false,\
         \"checkDatabase\":{check_database}}}"
    );
    wire::post(&format!("{below}/recipe/session/verify"), cdi_version, &body)
}

/// The body of a refresh.
pub(crate) fn refresh_request(refresh_token: &str, cdi_version: &str) -> Vec<u8> {
    let body =
        format!("{{\"refreshToken\":\"{refresh_token}\",\"enableAntiCsrf\":false,\"useDynamicSigningKey\":true}}");
    wire::post("/recipe/session/refresh", cdi_version, &body)
}

/// The tokens in the reply to a create or refresh.
pub(crate) fn tokens_in(body: &[u8]) -> Result<Tokens, String> {
    let access = wire::token(body, "accessToken").ok_or("no access token")?.to_owned();
    let refresh = wire::token(body, "refreshToken").ok_or("no refresh token")?.to_owned();
    Ok(Tokens { access, refresh })
}

/// Creates sessions, each for a new user; keeps the tokens of every `keep_every`th one.
pub(crate) struct Create {
    pool: Pool,
    user: u64,
    keep_every: u64,
    left: u64,
    /// After so many users it begins again with the first one.
    users: u64,
    request: Vec<u8>,
}

/// Users of a connection who get session after session.
const KNOWN_USERS: u64 = 10;

impl Create {
    /// `number` distinguishes the connections, so that no two create the same user; with `keep_every` 0, none is kept.
    pub(crate) fn new(pool: &Pool, number: usize, keep_every: u64, at_most: u64) -> Self {
        let (user, users) = ((number as u64) << 32, u64::from(u32::MAX));
        Self { pool: Arc::clone(pool), user, keep_every, left: at_most, users, request: Vec::new() }
    }

    /// Creates sessions without end, all for the first users of this number.
    pub(crate) fn again(pool: &Pool, number: usize) -> Self {
        Self { users: KNOWN_USERS, ..Self::new(pool, number, 0, u64::MAX) }
    }
}

impl Script for Create {
    fn next(&mut self) -> Option<&[u8]> {
        self.left = self.left.checked_sub(1)?;
        let (number, user) = (self.user >> 32, self.user & 0xffff_ffff);
        self.user = number << 32 | (user % self.users + 1);
        self.request = create_request("", self.user);
        Some(&self.request)
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        ok(status, body)?;
        if self.user.is_multiple_of(self.keep_every) {
            give(&self.pool, tokens_in(body)?);
        }
        Ok(())
    }
}

/// Verifies tokens of the pool that have not been verified before; ends when the pool is empty.
pub(crate) struct VerifyNew {
    pool: Pool,
    request: Vec<u8>,
}

impl VerifyNew {
    /// Takes from `pool`.
    pub(crate) fn new(pool: &Pool) -> Self {
        Self { pool: Arc::clone(pool), request: Vec::new() }
    }
}

impl Script for VerifyNew {
    fn next(&mut self) -> Option<&[u8]> {
        self.request = verify_request(&take(&self.pool)?.access, false, wire::LEGACY);
        Some(&self.request)
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        ok(status, body)
    }
}

/// Verifies sessions of the pool in turn, with a database look-up.
pub(crate) struct VerifyAround {
    pool: Pool,
    request: Vec<u8>,
}

impl VerifyAround {
    /// Goes round and round in `pool`.
    pub(crate) fn new(pool: &Pool) -> Self {
        Self { pool: Arc::clone(pool), request: Vec::new() }
    }
}

impl Script for VerifyAround {
    fn next(&mut self) -> Option<&[u8]> {
        let tokens = take(&self.pool)?;
        self.request = verify_request(&tokens.access, true, wire::LEGACY);
        give(&self.pool, tokens);
        Some(&self.request)
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        ok(status, body)
    }
}

/// Refreshes sessions of the pool in turn, each with the token from its previous refresh.
pub(crate) struct RefreshAround {
    pool: Pool,
    cdi_version: &'static str,
    request: Vec<u8>,
}

impl RefreshAround {
    /// Goes round and round in `pool`.
    pub(crate) fn new(pool: &Pool, cdi_version: &'static str) -> Self {
        Self { pool: Arc::clone(pool), cdi_version, request: Vec::new() }
    }
}

impl Script for RefreshAround {
    fn next(&mut self) -> Option<&[u8]> {
        self.request = refresh_request(&take(&self.pool)?.refresh, self.cdi_version);
        Some(&self.request)
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        ok(status, body)?;
        give(&self.pool, tokens_in(body)?);
        Ok(())
    }
}

/// Refreshes each session of a pool once, and moves it to another pool.
pub(crate) struct RefreshOnce {
    from: Pool,
    to: Pool,
    request: Vec<u8>,
}

impl RefreshOnce {
    /// Takes from `from` until it is empty.
    pub(crate) fn new(from: &Pool, to: &Pool) -> Self {
        Self { from: Arc::clone(from), to: Arc::clone(to), request: Vec::new() }
    }
}

impl Script for RefreshOnce {
    fn next(&mut self) -> Option<&[u8]> {
        self.request = refresh_request(&take(&self.from)?.refresh, wire::LEGACY);
        Some(&self.request)
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        ok(status, body)?;
        give(&self.to, tokens_in(body)?);
        Ok(())
    }
}

/// A complete rotation as a browser sees it under CDI ≤ 5.5: a refresh, then the verify that promotes its token.
pub(crate) struct RefreshStep {
    tokens: Tokens,
    promoting: bool,
    request: Vec<u8>,
}

impl RefreshStep {
    /// Starts from a session of its own.
    pub(crate) fn new(tokens: Tokens) -> Self {
        Self { tokens, promoting: true, request: Vec::new() }
    }
}

impl Script for RefreshStep {
    fn next(&mut self) -> Option<&[u8]> {
        self.promoting = !self.promoting;
        self.request = if self.promoting {
            verify_request(&self.tokens.access, false, wire::LEGACY)
        } else {
            refresh_request(&self.tokens.refresh, wire::LEGACY)
        };
        Some(&self.request)
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        ok(status, body)?;
        if self.promoting {
            wire::token(body, "accessToken").map(|_| ()).ok_or_else(|| "the verify did not promote".to_owned())
        } else {
            self.tokens = tokens_in(body)?;
            Ok(())
        }
    }
}

/// An application's day in miniature: sign in, many verifies, some with a look-up, a refresh, every other time a
/// sign-out.
pub(crate) struct Mixed {
    step: u64,
    user: u64,
    tokens: Option<Tokens>,
    handle: String,
    request: Vec<u8>,
}

/// Requests of one round of [`Mixed`].
const ROUND: u64 = 96;
/// The step that refreshes.
const REFRESH: u64 = ROUND / 2;
/// The last step with a session; the one after it creates the next.
const LAST: u64 = ROUND - 2;

impl Mixed {
    /// `number` distinguishes the connections.
    pub(crate) fn new(number: usize) -> Self {
        // Connections do not all do the same thing at the same time, and their users differ from those of `Create`.
        let number = number as u64;
        let user = (number + (1 << 20)) << 32;
        Self { step: number % ROUND, user, tokens: None, handle: String::new(), request: Vec::new() }
    }

    fn signs_out(&self) -> bool {
        self.step % ROUND == LAST && self.user.is_multiple_of(2)
    }
}

impl Script for Mixed {
    fn next(&mut self) -> Option<&[u8]> {
        let signs_out = self.signs_out();
        self.request = match &self.tokens {
            None => {
                self.user += 1;
                create_request("", self.user)
            }
            Some(tokens) if self.step % ROUND == REFRESH => refresh_request(&tokens.refresh, wire::LEGACY),
            Some(_) if signs_out => {
                let body = format!("{{\"sessionHandles\":[\"{}\"]}}", self.handle);
                wire::post("/recipe/session/remove", wire::LEGACY, &body)
            }
            Some(tokens) => verify_request(&tokens.access, self.step % 4 == 3, wire::LEGACY),
        };
        Some(&self.request)
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Result<(), String> {
        ok(status, body)?;
        let step = self.step % ROUND;
        self.step += 1;
        if let Some(handle) = wire::handle(body) {
            handle.clone_into(&mut self.handle);
        }
        if self.tokens.is_none() || step == REFRESH {
            self.tokens = Some(tokens_in(body)?);
        } else if let (Some(access), Some(tokens)) = (wire::token(body, "accessToken"), &mut self.tokens) {
            access.clone_into(&mut tokens.access);
        }
        if step == LAST {
            self.tokens = None;
        }
        Ok(())
    }
}
