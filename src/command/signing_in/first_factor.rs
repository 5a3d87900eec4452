//! Factors that may begin a sign-in.

use crate::config::front::FrontConfig;
use crate::state::directory::TenantEntry;

/// Factors that a recipe of the protocol provides; others are an application's own.
const KNOWN: [&str; 8] =
    ["emailpassword", "webauthn", "otp-email", "otp-phone", "link-email", "link-phone", "thirdparty", "totp"];

/// The factors that may begin a sign-in in a tenant: those of the tenant, else those of the settings, else all that are
/// available. Of the protocol's own factors, only available ones count.
#[must_use]
pub fn first_factors(tenant: &TenantEntry, front: &FrontConfig) -> Vec<String> {
    let available = front.available_first_factors();
    let allowed: Vec<String> = match (tenant.own.shown_first_factors(), &front.first_factors) {
        (Some(own), _) => own.into_iter().map(str::to_owned).collect(),
        (None, Some(configured)) => configured.iter().cloned().collect(),
        (None, None) => available.iter().map(|factor| (*factor).to_owned()).collect(),
    };
    let is_there = |factor: &String| available.contains(&factor.as_str()) || !KNOWN.contains(&factor.as_str());
    allowed.into_iter().filter(is_there).collect()
}
