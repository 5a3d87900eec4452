//! [`FrontError`]: why a request of a browser is refused (protocol: 20, 1.3 and 4).

use super::reply;
use crate::config::front::FrontSession;
use crate::domain::session::size::TokenTooLarge;
use crate::fault::Fault;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use crate::state::password::SignInRefused;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

/// What people are told if a hook did not answer.
pub const TRY_LATER: &str = "This is not possible at the moment. Please try again later.";

/// Why a request is refused, if not by a `status` in a 200 reply.
#[derive(Debug, thiserror::Error)]
pub enum FrontError {
    /// There is no session. The browser forgets its tokens, unless it sent none that could be read.
    #[error("unauthorised")]
    Unauthorised {
        /// Whether the browser forgets its tokens.
        clears_tokens: bool,
    },
    /// The access token is not valid any more.
    #[error("try refresh token")]
    TryRefreshToken,
    /// A refresh token that had been replaced was presented again. The browser forgets its tokens.
    #[error("token theft detected")]
    TokenTheftDetected,
    /// Cookies of an earlier domain were there as well, and are cleared.
    #[error(
        "The request contains multiple session cookies. We are clearing the cookie from olderCookieDomain. Session \
             will be refreshed in the next refresh call."
    )]
    ClearedDuplicateCookies,
    /// `GENERAL_ERROR` with this sentence for the person: a hook does not allow it.
    #[error("{0}")]
    Refused(String),
    /// 503: a hook did not answer. The browser keeps its tokens and tries again.
    #[error("{TRY_LATER}")]
    Unanswered,
    /// 404: there is no such route.
    #[error("Not found")]
    NotFound,
    /// 500 with this sentence: the settings do not allow what the request needs.
    #[error("{0}")]
    Misconfigured(&'static str),
    /// 500: the session's user has to complete these factors, but may neither set them up nor has done so.
    #[error(
        "The user is required to complete secondary factors they are not allowed to ({0}), likely because of \
             configuration issues."
    )]
    UnattainableFactors(String),
    /// A claim of the session does not have the value that the request needs. The browser keeps its tokens.
    #[error("invalid claim")]
    InvalidClaim(Box<ClaimFlaw>),
    /// 500: browsers would not keep the session's access token.
    #[error("{0}")]
    TokenTooLarge(TokenTooLarge),
    /// Bad input or our own failure, as in the core.
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl FrontError {
    /// No session: the browser forgets its tokens.
    pub const UNAUTHORISED: Self = Self::Unauthorised { clears_tokens: true };

    /// No session was presented: there is nothing to forget.
    pub const NO_SESSION: Self = Self::Unauthorised { clears_tokens: false };

    /// 400 with this sentence.
    pub fn bad_request(sentence: impl Into<String>) -> Self {
        Self::Api(ApiError::bad_request(sentence))
    }

    /// A claim does not have the value that the request needs.
    #[must_use]
    pub fn invalid_claim(id: &'static str, reason: Value) -> Self {
        Self::InvalidClaim(Box::new(ClaimFlaw { id, reason }))
    }

    /// True if the browser has to forget its tokens.
    #[must_use]
    pub const fn clears_tokens(&self) -> bool {
        matches!(self, Self::Unauthorised { clears_tokens: true } | Self::TokenTheftDetected)
    }

    /// The reply for this error, without tokens.
    #[must_use]
    pub fn reply(&self, session: &FrontSession) -> Reply {
        let status = match self {
            Self::Unauthorised { .. } | Self::TryRefreshToken | Self::TokenTheftDetected => session.expired_status,
            Self::ClearedDuplicateCookies => StatusCode::OK,
            Self::Misconfigured(_) | Self::UnattainableFactors(_) | Self::TokenTooLarge(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::InvalidClaim(flaw) => return invalid_claim(session.invalid_claim_status, flaw),
            Self::Refused(sentence) => return reply::general_error(sentence),
            Self::Unanswered => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotFound => return not_found(),
            Self::Api(error) => {
                let core = error.reply();
                let retry_after_s = core.retry_after_s;
                return Reply { retry_after_s, ..reply::message(core.status, &error.to_string()) };
            }
        };
        reply::message(status, &self.to_string())
    }
}

/// A claim of a session that does not have the value that a request needs.
#[derive(Debug, Clone, Serialize)]
pub struct ClaimFlaw {
    /// The claim's name.
    pub id: &'static str,
    /// Why its value is not the one that is needed: an object, and a text where a factor must not be set up.
    pub reason: Value,
}

/// Clients take their next step from the claim's name.
fn invalid_claim(status: StatusCode, flaw: &ClaimFlaw) -> Reply {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct InvalidClaimBody<'a> {
        message: &'static str,
        claim_validation_errors: [&'a ClaimFlaw; 1],
    }
    reply::json(status, &InvalidClaimBody { message: "invalid claim", claim_validation_errors: [flaw] })
}

/// The reply for a path that nothing has.
#[must_use]
pub fn not_found() -> Reply {
    Reply::text(StatusCode::NOT_FOUND, "Not found")
}

impl From<Fault> for FrontError {
    fn from(fault: Fault) -> Self {
        Self::Api(fault.into())
    }
}

impl From<SignInRefused> for FrontError {
    fn from(refusal: SignInRefused) -> Self {
        Self::Api(refusal.into())
    }
}
