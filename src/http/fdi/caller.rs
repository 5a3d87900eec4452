//! The page that sent a request, as far as its browser says: what it may do and read.
//!
//! Browsers send cookies along with requests that another site has forged. `SameSite` and the anti-CSRF settings are
//! the protocol's answers; the check here does not depend on them: a request that changes something and that a browser
//! says comes from a page of an origin that is not the website's is refused before anything is read or cleared.

use super::tenant_host::Pages;
use crate::domain::origin::Origin;
use crate::http::error::ApiError;
use crate::http::exchange::{Reply, Request, SEC_FETCH_SITE};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ORIGIN, REFERER, VARY,
};
use http::{HeaderValue, StatusCode};

/// What the frontend SDKs send.
const ALLOWED_HEADERS: &str = "content-type, rid, fdi-version, anti-csrf, authorization, st-auth-mode";
/// The methods of the front door, and those of applications that share the SDKs' settings.
const ALLOWED_METHODS: &str = "GET, HEAD, PUT, PATCH, POST, DELETE";
/// How long a browser may remember that, in s.
const PREFLIGHT_S: &str = "600";

const FOREIGN_PAGE: &str = "Requests from this page are refused: its origin is not in website_domain";

/// Who sent a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// No browser, or a page that the browser does not name: typed addresses, mail clients, command lines.
    Unknown,
    /// A page of this origin, which may use the front door.
    Website(Origin),
    /// A page of the front door's own origin.
    Own,
    /// A page of another origin, or one without an origin.
    Foreign,
}

impl Caller {
    /// The sender of a request, where these pages may use the front door.
    #[must_use]
    pub fn of(request: &Request, pages: Pages<'_>) -> Self {
        let judge = |text: &str| match Origin::parse(text) {
            Some(origin) if origin == *pages.reached() => Self::Own,
            Some(origin) if pages.contains(&origin) => Self::Website(origin),
            _ => Self::Foreign,
        };
        let mut origins = request.headers.get_all(ORIGIN).iter();
        if let Some(first) = origins.next() {
            return if origins.next().is_some() { Self::Foreign } else { judge(first.to_str().unwrap_or("?")) };
        }
        // Browsers leave out the origin in plain GETs, and older ones in requests of the same origin.
        if let Some(referer) = request.header(&REFERER).and_then(origin_of) {
            return judge(referer);
        }
        match request.header(&SEC_FETCH_SITE) {
            Some("same-origin") => Self::Own,
            Some("none") | None => Self::Unknown,
            Some(_) => Self::Foreign,
        }
    }

    /// The website that the request comes from.
    #[must_use]
    pub const fn website(&self) -> Option<&Origin> {
        match self {
            Self::Website(origin) => Some(origin),
            Self::Unknown | Self::Own | Self::Foreign => None,
        }
    }

    /// Refuses foreign pages.
    ///
    /// # Errors
    /// 403 with a sentence that names the setting to change.
    pub fn check(&self) -> Result<(), ApiError> {
        if *self == Self::Foreign { Err(ApiError::forbidden(FOREIGN_PAGE)) } else { Ok(()) }
    }

    /// Lets the website's pages read a reply (Fetch: CORS protocol). Caches must tell the websites apart.
    pub fn allow(&self, reply: &mut Reply) {
        reply.headers.push((VARY, HeaderValue::from_static("Origin")));
        let value = self.website().and_then(|origin| HeaderValue::try_from(origin.text()).ok());
        if let Some(value) = value {
            reply.headers.push((ACCESS_CONTROL_ALLOW_ORIGIN, value));
            reply.headers.push((ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true")));
        }
    }

    /// The reply to a preflight request.
    #[must_use]
    pub fn preflight(&self) -> Reply {
        let mut reply = Reply::empty(StatusCode::NO_CONTENT);
        reply.headers.reserve(6);
        self.allow(&mut reply);
        if self.website().is_some() {
            let more = [
                (ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS),
                (ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
                (ACCESS_CONTROL_MAX_AGE, PREFLIGHT_S),
            ];
            reply.headers.extend(more.map(|(name, value)| (name, HeaderValue::from_static(value))));
        }
        reply
    }
}

/// Scheme and authority of a URL.
fn origin_of(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let end = url.get(start..)?.find(['/', '?', '#']).map_or(url.len(), |end| start + end);
    url.get(..end)
}
