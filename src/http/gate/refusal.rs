//! Why a request may not pass, and what a browser or a script is told.

use super::forwarded::Forwarded;
use super::places;
use crate::config::front::FrontConfig;
use crate::domain::gate::Unmet;
use crate::domain::session::claims::{EMAIL_VERIFIED, FACTORS, PERMISSIONS, ROLES};
use crate::http::exchange::Reply;
use crate::http::fdi::cookie::COMPONENT;
use crate::http::fdi::error::FrontError;
use crate::metrics::GateOutcome;
use http::StatusCode;
use percent_encoding::utf8_percent_encode;
use serde_json::{Value, json};

const DENIED: &str = "You do not have access to this page";

/// Why a request may not pass.
#[derive(Debug)]
pub enum Refusal<'r> {
    /// Its session is missing or not valid, or it comes from a foreign page.
    Session(FrontError),
    /// Its session does not fulfil what is required.
    Unmet(Unmet<'r>),
}

impl Refusal<'_> {
    /// The reply for a request, in the way of a proxy that hands it on or not, and what is counted.
    #[must_use]
    pub fn reply(self, front: &FrontConfig, asked: &Forwarded, is_status_only: bool) -> (Reply, GateOutcome) {
        if asked.is_page_load
            && !is_status_only
            && let Some(found) = self.for_page(front, asked)
        {
            return found;
        }
        let reply = match self {
            Self::Session(error) => error.reply(&front.session),
            Self::Unmet(unmet) => FrontError::invalid_claim(claim(unmet), reason(unmet)).reply(&front.session),
        };
        let is_unauthorised = reply.status == front.session.expired_status;
        let outcome = if is_unauthorised { GateOutcome::Unauthorised } else { GateOutcome::Forbidden };
        (reply.not_stored(), outcome)
    }

    /// What somebody sees who loads a page; `None` if it is what a script is told.
    fn for_page(&self, front: &FrontConfig, asked: &Forwarded) -> Option<(Reply, GateOutcome)> {
        let page = |path: &str, parameters: &str| {
            // A proxy that guards the sign-in page as well would send browsers round for ever.
            if asked.page.path().trim_end_matches('/') == format!("{}{path}", front.websites.base_path) {
                return None;
            }
            let to = places::page(front, &asked.origin, path, parameters, &asked.page);
            Some((places::redirect(&to), GateOutcome::SentToPage))
        };
        match self {
            Self::Session(FrontError::Unauthorised { clears_tokens: false }) => page("", ""),
            // Only a refresh can tell whether the session goes on, and clear the cookies if not.
            Self::Session(FrontError::TryRefreshToken | FrontError::Unauthorised { .. }) => {
                Some((places::redirect(&places::bounce(front, &asked.page)), GateOutcome::Bounced))
            }
            Self::Session(_) => None,
            Self::Unmet(Unmet::EmailVerified) => page("/verify-email", ""),
            Self::Unmet(Unmet::SecondFactor) => page("/mfa", ""),
            Self::Unmet(Unmet::Factors(factors)) => {
                let factors = factors.join(",");
                page("/mfa", &format!("n={}&stepUp=true", utf8_percent_encode(&factors, COMPONENT)))
            }
            Self::Unmet(Unmet::Age(_)) => page("", "forceFreshAuth=true"),
            Self::Unmet(Unmet::Roles(_) | Unmet::Permissions(_) | Unmet::Tenant) => {
                let reply = Reply::text(front.session.invalid_claim_status, DENIED).not_stored();
                Some((reply, GateOutcome::Forbidden))
            }
        }
    }
}

/// The name of what is not met, where the SDKs have one: that of the claim.
const fn claim(unmet: Unmet<'_>) -> &'static str {
    match unmet {
        Unmet::EmailVerified => EMAIL_VERIFIED,
        Unmet::SecondFactor | Unmet::Factors(_) => FACTORS,
        Unmet::Roles(_) => ROLES,
        Unmet::Permissions(_) => PERMISSIONS,
        Unmet::Tenant => "tId",
        Unmet::Age(_) => "max_age",
    }
}

/// The reason in the SDKs' words (protocol: 20, 7.3).
fn reason(unmet: Unmet<'_>) -> Value {
    let wrong = |members: Value| {
        let mut reason = json!({"message": "wrong value"});
        if let (Some(reason), Value::Object(members)) = (reason.as_object_mut(), members) {
            reason.extend(members);
        }
        reason
    };
    match unmet {
        Unmet::EmailVerified => wrong(json!({"expectedValue": true, "actualValue": false})),
        Unmet::SecondFactor => json!({"message": "MFA requirement for auth is not satisfied"}),
        // Not as a list of factors: the frontend SDK cannot read those here.
        Unmet::Factors(_) => json!({"message": "a factor that is needed here is not complete"}),
        Unmet::Roles(any) | Unmet::Permissions(any) => wrong(json!({"expectedToIncludeAtLeastOneOf": any})),
        Unmet::Tenant => wrong(json!({})),
        Unmet::Age(most) => json!({"message": "expired", "maxAgeInSeconds": most / 1000}),
    }
}

/// The status of a question that is wrong in itself.
pub const MISUSED: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;
