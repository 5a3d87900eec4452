//! The tokens that a reply hands out or clears, in the form that the browser asked for (protocol: 20, 3).

use super::cookie::{MAX_COOKIE, SetCookie};
use super::tenant_host::{Pages, TenantHost};
use crate::config::front::{FrontConfig, SameSite, TokenTransfer, covers};
use crate::domain::time::UnixMillis;
use crate::http::exchange::Reply;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{ACCESS_CONTROL_EXPOSE_HEADERS, SET_COOKIE};
use http::{HeaderName, HeaderValue};
use std::sync::Arc;

/// The cookie that holds the access token.
pub const ACCESS_COOKIE: &str = "sAccessToken";
/// The cookie that holds the refresh token.
pub const REFRESH_COOKIE: &str = "sRefreshToken";
/// The cookie that counts how often a browser was sent to refresh its session; it goes where the refresh token goes.
pub const BOUNCES_COOKIE: &str = "sBounces";
/// The cookie in which the frontend SDK keeps `front-token`, readable to scripts.
const FRONT_COOKIE: &str = "sFrontToken";
/// When the SDK lets that cookie expire.
const NEVER: &str = "Fri, 31 Dec 9999 23:59:59 GMT";
/// A cookie of SDKs from before 2023. It is only ever cleared.
pub const LEGACY_COOKIE: &str = "sIdRefreshToken";
/// The path to which browsers send the refresh token, below the front door's prefix.
pub const REFRESH_PATH: &str = "/session/refresh";

/// The header that tells scripts what the access token says.
static FRONT_TOKEN: HeaderName = HeaderName::from_static("front-token");
/// The header that holds an anti-CSRF token.
pub static ANTI_CSRF: HeaderName = HeaderName::from_static("anti-csrf");
static ACCESS_HEADER: HeaderName = HeaderName::from_static("st-access-token");
static REFRESH_HEADER: HeaderName = HeaderName::from_static("st-refresh-token");

/// The value of `front-token` that signs a browser out.
const REMOVE: &str = "remove";
/// How long a browser keeps the access token's cookie, in ms: its presence, not its validity, shows that there may be a
/// session.
const ACCESS_COOKIE_MS: u64 = 31_536_000_000;

/// The attributes of a request's cookies.
#[derive(Debug, Clone)]
pub struct CookieRules {
    front: Arc<FrontConfig>,
    /// The domain that they have instead of the configured one.
    other_domain: Option<Option<String>>,
    /// Whether they are sent over https only.
    pub is_secure: bool,
    /// Whether they are sent with requests from other sites.
    pub same_site: SameSite,
}

/// The tokens that a reply hands out or clears. What is set later replaces what was set before.
#[derive(Debug, Default)]
pub struct OutgoingTokens {
    cookies: Vec<SetCookie>,
    access: Option<String>,
    refresh: Option<String>,
    front: Option<String>,
    anti_csrf: Option<String>,
    /// Lines of cookies that scripts may read.
    readable: Vec<String>,
}

/// A token to hand out.
#[derive(Debug, Clone, Copy)]
pub struct NewToken<'t> {
    /// Its text.
    pub text: &'t str,
    /// When it expires.
    pub expires: UnixMillis,
}

/// What scripts may know of an access token: its user, its expiry and its payload, members in the token's order.
fn front_token(user: &str, token: NewToken<'_>) -> String {
    // invariant: an access token that was just minted has a payload, which is JSON
    let payload = token.text.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).unwrap_or_default();
    let mut text = Vec::with_capacity(payload.len() + 2 * user.len() + 64);
    text.extend_from_slice(br#"{"uid":"#);
    // invariant: text and numbers serialise, and writing to memory does not fail
    let _ = serde_json::to_writer(&mut text, user);
    text.extend_from_slice(br#","ate":"#);
    let _ = serde_json::to_writer(&mut text, &token.expires);
    text.extend_from_slice(br#","up":"#);
    text.extend_from_slice(&payload);
    text.push(b'}');
    STANDARD.encode(text)
}

impl OutgoingTokens {
    /// Hands out an access token of this user.
    pub fn set_access(
        &mut self,
        transfer: TokenTransfer,
        user: &str,
        token: NewToken<'_>,
        rules: &CookieRules,
        now: UnixMillis,
    ) {
        self.front = Some(front_token(user, token));
        match transfer {
            TokenTransfer::Cookie => {
                self.cookie(rules, ACCESS_COOKIE, token.text, now.plus(ACCESS_COOKIE_MS));
                if rules.front.session.expose_access_token {
                    self.access = Some(token.text.to_owned());
                }
            }
            TokenTransfer::Header => self.access = Some(token.text.to_owned()),
        }
    }

    /// Hands out a refresh token.
    pub fn set_refresh(&mut self, transfer: TokenTransfer, token: NewToken<'_>, rules: &CookieRules) {
        match transfer {
            TokenTransfer::Cookie => self.cookie(rules, REFRESH_COOKIE, token.text, token.expires),
            TokenTransfer::Header => self.refresh = Some(token.text.to_owned()),
        }
    }

    /// Hands out an anti-CSRF token.
    pub fn set_anti_csrf(&mut self, token: &str) {
        self.anti_csrf = Some(token.to_owned());
    }

    /// Sets a cookie that goes where the refresh token goes.
    pub fn set_bounces(&mut self, rules: &CookieRules, value: &str, expires: UnixMillis) {
        self.cookie(rules, BOUNCES_COOKIE, value, expires);
    }

    /// Keeps `front-token` where the frontend SDK looks for it, for replies that no script of the SDK reads. What does
    /// not fit into a cookie is left to the SDK, which refreshes.
    pub fn mirror_front_token(&mut self, rules: &CookieRules) {
        let (value, expires) = match self.front.as_deref() {
            None => return,
            Some(REMOVE) => ("", UnixMillis(0).http_date()),
            Some(token) => (token, NEVER.to_owned()),
        };
        let domain = rules.domain().map_or_else(String::new, |domain| format!("; Domain={domain}"));
        let secure = if rules.is_secure { "; Secure" } else { "" };
        let line = format!("{FRONT_COOKIE}={value}{domain}; Path=/; Expires={expires}{secure}; SameSite=Lax");
        if line.len() <= MAX_COOKIE {
            self.readable = vec![line];
        }
    }

    /// Makes the browser forget the tokens that it keeps in this way.
    pub fn clear(&mut self, transfer: TokenTransfer, rules: &CookieRules) {
        self.anti_csrf = None;
        self.front = Some(REMOVE.to_owned());
        match transfer {
            TokenTransfer::Cookie => {
                self.clear_cookie(rules, ACCESS_COOKIE);
                self.clear_cookie(rules, REFRESH_COOKIE);
            }
            TokenTransfer::Header => {
                self.access = Some(String::new());
                self.refresh = Some(String::new());
            }
        }
    }

    /// Makes the browser forget every token.
    pub fn clear_all(&mut self, rules: &CookieRules) {
        self.clear(TokenTransfer::Cookie, rules);
        self.clear(TokenTransfer::Header, rules);
    }

    /// Makes the browser forget one cookie.
    pub fn clear_cookie(&mut self, rules: &CookieRules, name: &'static str) {
        self.cookie(rules, name, "", UnixMillis(0));
    }

    fn cookie(&mut self, rules: &CookieRules, name: &'static str, value: &str, expires: UnixMillis) {
        let cookie = rules.cookie(name, value, expires);
        self.cookies.retain(|other| other.name != name);
        self.cookies.push(cookie);
    }

    /// True if a cookie is handed out, not only cleared.
    #[must_use]
    pub fn hands_out_cookies(&self) -> bool {
        self.cookies.iter().any(|cookie| !cookie.value.is_empty())
    }

    /// Adds the headers to a reply, and the names that scripts may read. Such a reply must not be stored by anybody.
    pub fn write_to(self, reply: &mut Reply) {
        if self.is_empty() {
            return;
        }
        let mut exposed = Vec::new();
        let named = [
            (&FRONT_TOKEN, self.front),
            (&ACCESS_HEADER, self.access),
            (&REFRESH_HEADER, self.refresh),
            (&ANTI_CSRF, self.anti_csrf),
        ];
        for (name, text) in named {
            // invariant: tokens are visible ASCII; an anti-CSRF token that is repeated came in a header
            if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
                exposed.push(name.as_str());
                reply.headers.push((name.clone(), value));
            }
        }
        let lines = self.cookies.iter().filter_map(|cookie| HeaderValue::try_from(cookie.to_header()).ok());
        let readable = self.readable.iter().filter_map(|line| HeaderValue::try_from(line).ok());
        reply.headers.extend(lines.chain(readable).map(|line| (SET_COOKIE, line)));
        if let Ok(names) = HeaderValue::try_from(exposed.join(", "))
            && !exposed.is_empty()
        {
            reply.headers.push((ACCESS_CONTROL_EXPOSE_HEADERS, names));
        }
        reply.cache_control = Some("no-store".to_owned());
    }

    const fn is_empty(&self) -> bool {
        let Self { cookies, access, refresh, front, anti_csrf, readable } = self;
        let are_none = access.is_none() && refresh.is_none() && front.is_none() && anti_csrf.is_none();
        are_none && cookies.is_empty() && readable.is_empty()
    }
}

impl CookieRules {
    /// The rules of an app for requests from a website, which may belong to another site. Cookies of a tenant's host
    /// that is not below `cookie_domain` belong to that host alone.
    #[must_use]
    pub fn of(front: &Arc<FrontConfig>, pages: Pages<'_>, is_cross_site: bool) -> Self {
        let session = &front.session;
        let is_foreign =
            |host: &TenantHost| session.cookie_domain.as_ref().is_some_and(|domain| !covers(domain, &host.origin.host));
        Self {
            front: Arc::clone(front),
            other_domain: pages.host.is_some_and(is_foreign).then_some(None),
            is_secure: session.is_secure(pages.api),
            same_site: session.same_site_for(is_cross_site),
        }
    }

    /// The domain whose hosts get them; `None` for the host alone that was asked.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.other_domain.as_ref().unwrap_or(&self.front.session.cookie_domain).as_deref()
    }

    /// The path of the route that refreshes, to which alone browsers send the refresh token.
    #[must_use]
    pub fn refresh_path(&self) -> String {
        format!("{}{REFRESH_PATH}", self.front.api.prefix())
    }

    /// The largest access token that the client can keep, in bytes; `None` without a limit, in headers. Besides it, only
    /// the refresh token goes into a cookie, which has no room for claims; `front-token`, which the frontend SDK keeps in
    /// a cookie of its own, has the claims without the header and the signature.
    #[must_use]
    pub fn max_access_token(&self, transfer: TokenTransfer) -> Option<usize> {
        let around = || self.cookie(ACCESS_COOKIE, "", UnixMillis(0)).to_header().len();
        (transfer == TokenTransfer::Cookie).then(|| MAX_COOKIE.saturating_sub(around()))
    }

    fn cookie(&self, name: &'static str, value: &str, expires: UnixMillis) -> SetCookie {
        let path = match name {
            REFRESH_COOKIE | BOUNCES_COOKIE => self.refresh_path(),
            _ => self.front.session.access_token_path.clone(),
        };
        SetCookie {
            name,
            value: value.to_owned(),
            domain: self.domain().map(str::to_owned),
            path,
            expires,
            is_secure: self.is_secure,
            same_site: self.same_site,
        }
    }

    /// The same for cookies of another domain.
    #[must_use]
    pub fn with_domain(&self, domain: Option<String>) -> Self {
        Self { other_domain: Some(domain), ..self.clone() }
    }
}
