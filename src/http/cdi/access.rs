//! Access control: IP rules and API keys (CDI: common rules, API key).

use crate::config::AppConfig;
use crate::domain::ids::{PUBLIC, TenantId};
use crate::domain::secret::Secret;
use crate::http::error::ApiError;
use crate::http::exchange::Request;
use crate::http::ip_rules;
use crate::state::directory::{AppEntry, Directory};
use http::HeaderName;
use http::header::AUTHORIZATION;
use std::net::IpAddr;

/// The header that holds a key; takes precedence over `Authorization`.
static API_KEY: HeaderName = HeaderName::from_static("api-key");

/// The credential that a caller has presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// The app needs no key.
    NotNeeded,
    /// One of the app's API keys.
    ApiKey,
    /// The secret that is valid for every app.
    SaasSecret,
    /// A key is needed, but none or a wrong one was sent. Routes without a key see this too.
    Refused,
}

/// The credential of a request. Every configured key is compared in constant time.
pub fn credential(request: &Request, app: &AppEntry, saas_secret: Option<&Secret<String>>) -> Credential {
    let keys = &app.config.api_keys;
    if keys.is_empty() && saas_secret.is_none() {
        return Credential::NotNeeded;
    }
    let Some(sent) = presented(request) else {
        return Credential::Refused;
    };
    let is_key = keys.iter().fold(false, |found, key| found | key.matches(sent));
    match saas_secret {
        Some(secret) if secret.matches(sent) => Credential::SaasSecret,
        _ if is_key => Credential::ApiKey,
        _ => Credential::Refused,
    }
}

/// The value of `api-key` or, without that header, of `Authorization` with or without `Bearer`.
fn presented(request: &Request) -> Option<&[u8]> {
    if let Some(value) = request.headers.get(&API_KEY) {
        return Some(value.as_bytes().trim_ascii());
    }
    let value = request.headers.get(AUTHORIZATION)?.as_bytes().trim_ascii();
    let bearer = value.split_at_checked(7).filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"Bearer "));
    Some(bearer.map_or(value, |(_, key)| key.trim_ascii()))
}

/// Checks the IP rules of the tenant; of the app if the tenant is unknown, of the base app if the app is.
///
/// # Errors
/// 403 with an empty body for a caller that is denied or not among the allowed ones.
pub fn check_caller(
    directory: &Directory,
    app: Option<&AppEntry>,
    tenant: &TenantId,
    caller: IpAddr,
) -> Result<(), ApiError> {
    match app {
        Some(app) if tenant.is_public() => admits(&app.config, caller),
        Some(app) => match app.tenant(tenant) {
            Some(tenant) => admits(&tenant.config, caller),
            None => admits(&app.config, caller),
        },
        None => match directory.find("", PUBLIC) {
            Some(base) => admits(&base.config, caller),
            None => Ok(()),
        },
    }
}

fn admits(config: &AppConfig, caller: IpAddr) -> Result<(), ApiError> {
    match ip_rules::is_denied(config, caller) || !ip_rules::is_allowed(config, caller) {
        true => Err(ApiError::forbidden("")),
        false => Ok(()),
    }
}
