//! [`ApiError`]: bad input, answered at the edge with the protocol's own sentence.

use crate::domain::text::count;
use crate::fault::{Fault, Gone};
use crate::http::exchange::{Reply, Verb};
use crate::state::password::SignInRefused;
use http::StatusCode;
use std::collections::BTreeSet;

/// Everything that is not a protocol outcome (a `status` in a 200 reply).
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 400 with this sentence.
    #[error("{0}")]
    BadRequest(String),
    /// 401 `Invalid API key`.
    #[error("Invalid API key")]
    InvalidApiKey,
    /// 403 with this sentence (empty for the IP rules).
    #[error("{0}")]
    Forbidden(String),
    /// 404 `Not found`.
    #[error("Not found")]
    NotFound,
    /// 405 `Method not supported`, with the available methods in `Allow` (RFC 9110, 15.5.6).
    #[error("Method not supported")]
    MethodNotSupported {
        /// The methods that the path supports.
        allowed: BTreeSet<Verb>,
    },
    /// 501 for methods that no endpoint of the protocol ever has (PATCH and invented ones).
    #[error("Method not implemented")]
    MethodNotImplemented,
    /// 501 for a recipe of the protocol that sessiond does not have. SDKs throw an error with this text.
    #[error("{what} is not available in sessiond yet")]
    NotAvailable {
        /// The name of the recipe.
        what: &'static str,
    },
    /// 413: the request would store more than the store accepts. The protocol has no such limit.
    #[error("The data to be stored is too large: {size} bytes, at most {limit} are allowed")]
    TooLarge {
        /// Bytes to be stored.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// 415: the body is compressed, which the front door does not read.
    #[error("Compressed bodies are not read: send it without Content-Encoding")]
    CompressedBody,
    /// 429: sign-ins are delayed after failed ones, or a limit of the front door is reached. The protocol has no such
    /// limits.
    #[error("{sentence}. Try again in {}", count(*retry_after_s, "second"))]
    TooManyRequests {
        /// The sentence that says what there was too much of.
        sentence: &'static str,
        /// The value of `Retry-After`, in s.
        retry_after_s: u64,
    },
    /// 503: the queue for password hashing is full.
    #[error(
        "Too many sign-ins at once: the queue for password hashing is full. Try again in {}",
        count(*retry_after_s, "second")
    )]
    Busy {
        /// The value of `Retry-After`, in s.
        retry_after_s: u64,
    },
    /// 500 with this sentence: the configuration lacks a setting that the request needs.
    #[error("{0}")]
    Misconfigured(&'static str),
    /// 500; its chain is logged where it is turned into a reply.
    #[error("Internal error")]
    Internal(Fault),
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        if let Some((size, limit)) = fault.too_large() {
            return Self::TooLarge { size, limit };
        }
        if let Some(Gone { app, tenant }) = fault.gone() {
            return Self::unknown_tenant(&app.connection_uri_domain, &app.app_id, tenant.as_str());
        }
        Self::Internal(fault)
    }
}

impl From<SignInRefused> for ApiError {
    fn from(refusal: SignInRefused) -> Self {
        match refusal {
            SignInRefused::Busy { retry_after_s } => Self::Busy { retry_after_s },
            SignInRefused::TooManyFailures { of, retry_after_s, .. } => {
                Self::TooManyRequests { sentence: of, retry_after_s }
            }
            SignInRefused::NoSignerKey => Self::Misconfigured("'firebase_password_hashing_signer_key' cannot be null"),
            SignInRefused::Fault(fault) => fault.into(),
        }
    }
}

impl ApiError {
    /// 400 with the protocol's sentence.
    pub fn bad_request(sentence: impl Into<String>) -> Self {
        Self::BadRequest(sentence.into())
    }

    /// 403 with the protocol's sentence.
    pub fn forbidden(sentence: impl Into<String>) -> Self {
        Self::Forbidden(sentence.into())
    }

    /// 400 for a tenant that does not exist. An unknown app is reported as its missing public tenant.
    #[must_use]
    pub fn unknown_tenant(domain: &str, app: &str, tenant: &str) -> Self {
        Self::bad_request(format!(
            "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination \
             not found: ({domain}, {app}, {tenant})"
        ))
    }

    /// The reply for this error. Text of a [`Fault`] never leaves the process.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let status = match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::InvalidApiKey => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotSupported { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::MethodNotImplemented | Self::NotAvailable { .. } => StatusCode::NOT_IMPLEMENTED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::CompressedBody => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Misconfigured(_) | Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let reply = Reply::text(status, &self.to_string());
        match self {
            Self::MethodNotSupported { allowed } => {
                let names: Vec<&str> = allowed.iter().map(|verb| verb.name()).collect();
                Reply { allow: Some(names.join(", ")), ..reply }
            }
            Self::TooManyRequests { retry_after_s, .. } | Self::Busy { retry_after_s } => {
                reply.retry_after(*retry_after_s)
            }
            _ => reply,
        }
    }
}
