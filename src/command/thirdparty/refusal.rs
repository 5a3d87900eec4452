//! [`ProviderRefusal`]: why a sign-in with a provider goes no further.

use crate::crypto::signed_token::PrivateKeyFlaw;
use crate::domain::json::reader::ConfigFlaw;
use crate::domain::thirdparty::apple::AppleFlaw;
use crate::domain::thirdparty::config::NoClient;
use crate::domain::thirdparty::id_token::ClaimFlaw;
use crate::domain::thirdparty::profile::ProfileFlaw;
use crate::outbound::http::SendError;
use crate::outbound::provider::{FetchError, VerifyError};
use std::fmt;

/// Why a sign-in with a provider goes no further. The sentences are the protocol's where it has one; none holds a
/// secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderRefusal {
    /// The tenant has no such provider.
    #[error("the provider {0} could not be found in the configuration")]
    Unknown(String),
    /// None of the provider's clients fits.
    #[error(transparent)]
    NoClient(#[from] NoClient),
    /// The configuration has a mistake.
    #[error("the provider's configuration is not usable: {0}")]
    Config(#[from] ConfigFlaw),
    /// Apple's client secret cannot be made, because members are missing.
    #[error(transparent)]
    Apple(#[from] AppleFlaw),
    /// Apple's client secret cannot be made, because the key is wrong.
    #[error("the client secret for Apple cannot be made: {0}")]
    AppleKey(#[from] PrivateKeyFlaw),
    /// The SAML recipe does this sign-in, not this one.
    #[error("this provider signs in by SAML")]
    Saml,
    /// Neither the configuration nor discovery names this endpoint.
    #[error("the provider has no {0}")]
    NoEndpoint(&'static str),
    /// The provider cannot be reached, or did not answer as it should.
    #[error("{step} failed: {failure}")]
    Failed {
        /// What was asked of it.
        step: Step,
        /// What went wrong.
        failure: Failure,
    },
    /// The browser has come back without a code.
    #[error("the redirect has no code")]
    NoCode,
    /// The provider has answered without any token.
    #[error("the provider gave no token")]
    NoToken,
    /// The provider has to state in an id token who it is, and there is none that can be checked.
    #[error("the provider gave no id token that can be checked")]
    NoIdToken,
    /// The id token's signature is not right.
    #[error(transparent)]
    Signature(#[from] VerifyError),
    /// The id token's payload is not right.
    #[error(transparent)]
    Claims(#[from] ClaimFlaw),
    /// A client has brought an access token, and nobody can say for which application it was made.
    #[error("an access token of this provider is not accepted by itself: send the code or an id token")]
    UncheckedToken,
    /// A client has brought an access token that was made for another application.
    #[error("the access token was made for another application")]
    ForeignToken,
    /// The replies do not say who the person is.
    #[error(transparent)]
    Profile(#[from] ProfileFlaw),
    /// The provider gave no e-mail address, and one is required (`NO_EMAIL_GIVEN_BY_PROVIDER`).
    #[error("the provider gave no e-mail address")]
    NoEmail,
}

/// What was asked of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Its discovery document.
    Discovery,
    /// Tokens for a code.
    Exchange,
    /// Whether a token was made for this application.
    TokenCheck,
    /// The person's data.
    UserInfo,
}

/// What went wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no reply.
    #[error(transparent)]
    Send(#[from] SendError),
    /// There is no document.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The reply is a refusal.
    #[error("the provider answered with status {status}{}", shown(.error.as_deref()))]
    Status {
        /// The status code.
        status: u16,
        /// The error code of the reply (RFC 6749, section 5.2), if it has one.
        error: Option<String>,
    },
    /// The reply is not JSON, or not of the right kind.
    #[error("the provider's answer cannot be read")]
    Unreadable,
}

fn shown(error: Option<&str>) -> String {
    error.map(|error| format!(" ({error})")).unwrap_or_default()
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovery => "reading the provider's discovery document",
            Self::Exchange => "exchanging the code for tokens",
            Self::TokenCheck => "asking for whom the access token was made",
            Self::UserInfo => "reading the person's data",
        })
    }
}

impl ProviderRefusal {
    /// A step that failed.
    #[must_use]
    pub fn failed(step: Step, failure: impl Into<Failure>) -> Self {
        Self::Failed { step, failure: failure.into() }
    }

    /// Whether the request is to blame, which the protocol answers with status 400; the others are failures of the
    /// provider or of its configuration, except [`NoEmail`](Self::NoEmail), which is a status of its own.
    #[must_use]
    pub const fn is_bad_request(&self) -> bool {
        matches!(self, Self::Unknown(_) | Self::NoCode | Self::UncheckedToken | Self::ForeignToken)
    }
}
