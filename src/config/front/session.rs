//! Cookies, tokens and status codes of the front door (protocol: 20, 3; 22, 6.2).

use super::address::Api;
use crate::config::flaws::Flaws;
use crate::config::url_path::base_path;
use crate::config::values::Values;
use crate::domain::origin::Origin;
use http::StatusCode;

/// How the front door keeps sessions in browsers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontSession {
    /// `Domain` of the cookies.
    pub cookie_domain: Option<String>,
    /// An earlier `Domain`, whose cookies are cleared where a browser has both; `Some(None)` for cookies without one.
    pub older_cookie_domain: Option<Option<String>>,
    /// `Secure`, if it does not follow from the front door's origin.
    cookie_secure: Option<bool>,
    /// `SameSite`, if it does not follow from the website.
    pub same_site: Option<SameSite>,
    /// `Path` of the access token's cookie.
    pub access_token_path: String,
    /// The protection from forged requests, if it does not follow from `SameSite`.
    anti_csrf: Option<AntiCsrf>,
    /// Where browsers keep tokens; `None`: as the client asks for.
    pub transfer: Option<TokenTransfer>,
    /// Status of replies that tell a client to refresh or to sign in.
    pub expired_status: StatusCode,
    /// Status of replies that tell a client which claim is not met.
    pub invalid_claim_status: StatusCode,
    /// Whether access tokens are signed with the dynamic key.
    pub use_dynamic_key: bool,
    /// Whether pages that keep tokens in cookies may also read the access token.
    pub expose_access_token: bool,
    /// Whether sessions keep the addresses and names of the browsers that use them.
    pub records_clients: bool,
}

/// `SameSite` of a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// Sent with requests of the same site, and with navigations from others.
    Lax,
    /// Sent with requests of the same site only.
    Strict,
    /// Sent with every request.
    None,
}

impl SameSite {
    /// The attribute's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::Strict => "Strict",
            Self::None => "None",
        }
    }
}

/// A protection from requests that other sites forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AntiCsrf {
    /// `SameSite` alone.
    None,
    /// A header that pages of other sites cannot send.
    CustomHeader,
    /// A token that pages of other sites do not know.
    Token,
}

/// Where a browser keeps tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenTransfer {
    /// In cookies that scripts cannot read.
    Cookie,
    /// In the page, which sends them as headers.
    Header,
}

impl FrontSession {
    pub(super) fn read(values: &Values, api: Option<&Api>, flaws: &mut Flaws) -> Option<Self> {
        let domain = flaws.keep(["cookie_domain"], cookie_domain(values, "cookie_domain"));
        let older = flaws.keep(["older_cookie_domain"], cookie_domain(values, "older_cookie_domain"));
        let access_token_path = flaws.keep(["access_token_path"], access_token_path(values));
        let codes = ["session_expired_status_code", "invalid_claim_status_code"];
        if values.int(codes[0]) == values.int(codes[1]) {
            flaws.add(codes, "'session_expired_status_code' and 'invalid_claim_status_code' must be different");
        }
        for key in codes {
            if status(values, key) == StatusCode::TOO_MANY_REQUESTS {
                flaws.add([key], format!("'{key}' must not be 429: that is the status of requests that are too many"));
            }
        }
        let domain = domain.map(Option::flatten);
        let host = api.and_then(|api| api.origin.as_ref()).map(|origin| origin.host.as_str());
        if let (Some(Some(domain)), Some(host)) = (&domain, host)
            && !covers(domain, host)
        {
            let sentence = format!(
                "'cookie_domain' must be the host of 'api_domain' or a domain above it: browsers refuse cookies of \
                 {domain} from {host}"
            );
            flaws.add(["cookie_domain", "api_domain"], sentence);
        }
        Some(Self {
            cookie_domain: domain?,
            older_cookie_domain: older?,
            cookie_secure: match values.text("cookie_secure") {
                Some(text) if text.eq_ignore_ascii_case("auto") => None,
                Some(text) => Some(text.eq_ignore_ascii_case("true")),
                None => None,
            },
            same_site: same_site(values),
            access_token_path: access_token_path?,
            anti_csrf: anti_csrf(values),
            transfer: match () {
                () if values.is("token_transfer_method", "cookie") => Some(TokenTransfer::Cookie),
                () if values.is("token_transfer_method", "header") => Some(TokenTransfer::Header),
                () => None,
            },
            expired_status: status(values, "session_expired_status_code"),
            invalid_claim_status: status(values, "invalid_claim_status_code"),
            use_dynamic_key: values.flag("use_dynamic_access_token_signing_key"),
            expose_access_token: values.flag("expose_access_token_to_frontend_in_cookie_based_auth"),
            records_clients: values.flag("session_client_details"),
        })
    }

    /// Whether cookies of a front door at this origin are sent over https only.
    #[must_use]
    pub fn is_secure(&self, api: &Origin) -> bool {
        self.cookie_secure.unwrap_or(api.is_https)
    }

    /// `SameSite` of cookies for a website, which may belong to another site than the front door.
    #[must_use]
    pub const fn same_site_for(&self, is_cross_site: bool) -> SameSite {
        match self.same_site {
            Some(same_site) => same_site,
            None if is_cross_site => SameSite::None,
            None => SameSite::Lax,
        }
    }

    /// The protection of requests from such a website.
    #[must_use]
    pub const fn anti_csrf_for(&self, is_cross_site: bool) -> AntiCsrf {
        match (self.anti_csrf, self.same_site_for(is_cross_site)) {
            (Some(anti_csrf), _) => anti_csrf,
            (None, SameSite::None) => AntiCsrf::CustomHeader,
            (None, SameSite::Lax | SameSite::Strict) => AntiCsrf::None,
        }
    }
}

fn same_site(values: &Values) -> Option<SameSite> {
    let known = [("lax", SameSite::Lax), ("strict", SameSite::Strict), ("none", SameSite::None)];
    known.into_iter().find(|(name, _)| values.is("cookie_same_site", name)).map(|(_, same_site)| same_site)
}

fn anti_csrf(values: &Values) -> Option<AntiCsrf> {
    let known =
        [("NONE", AntiCsrf::None), ("VIA_CUSTOM_HEADER", AntiCsrf::CustomHeader), ("VIA_TOKEN", AntiCsrf::Token)];
    known.into_iter().find(|(name, _)| values.is("anti_csrf", name)).map(|(_, anti_csrf)| anti_csrf)
}

fn status(values: &Values, key: &str) -> StatusCode {
    let code = u16::try_from(values.int(key)).unwrap_or_default();
    StatusCode::from_u16(code).unwrap_or(StatusCode::UNAUTHORIZED)
}

fn access_token_path(values: &Values) -> Result<String, String> {
    let path = base_path(values.text("access_token_path").unwrap_or_default());
    let path = path.map_err(|sentence| sentence.replace("base_path", "access_token_path"))?;
    Ok(if path.is_empty() { "/".to_owned() } else { path })
}

/// The setting for cookies without a domain; variables cannot be empty.
const HOST_ONLY: &str = "host-only";

/// A domain of cookies: lower case, without scheme, port and path; a leading dot stays. `Some(None)` for an empty one.
fn cookie_domain(values: &Values, key: &str) -> Result<Option<Option<String>>, String> {
    let Some(written) = values.text(key) else { return Ok(None) };
    let lower = written.trim().to_ascii_lowercase();
    if lower.is_empty() || lower == HOST_ONLY {
        return Ok(Some(None));
    }
    let bare = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    let end = bare.find(['/', ':']).unwrap_or(bare.len());
    let domain = bare.get(..end).unwrap_or(bare);
    let name = domain.strip_prefix('.').unwrap_or(domain);
    let is_name = |name: &str| {
        name.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        })
    };
    if !is_name(name) {
        return Err(format!("'{key}' must be a domain such as .example.com, not '{written}'"));
    }
    let is_alone = name == "localhost" || name.parse::<std::net::Ipv4Addr>().is_ok();
    Ok(Some(Some(if is_alone { name.to_owned() } else { domain.to_owned() })))
}

/// True if browsers accept cookies of this domain from this host (RFC 6265, 5.1.3).
#[must_use]
pub fn covers(domain: &str, host: &str) -> bool {
    let name = domain.strip_prefix('.').unwrap_or(domain);
    host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
}
