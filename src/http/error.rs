//! [`ApiError`]: bad input, answered at the edge with the protocol's own sentence.

use crate::fault::{Fault, Gone};
use crate::http::cdi::unknown_tenant;
use crate::http::exchange::Reply;
use crate::http::route::Verb;
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
    /// 405 `Method not supported`, with the methods there are in `Allow` (RFC 9110, 15.5.6).
    #[error("Method not supported")]
    MethodNotSupported {
        /// What the path does support.
        allowed: BTreeSet<Verb>,
    },
    /// 501 for methods no endpoint of the protocol ever has (PATCH and invented ones).
    #[error("Method not implemented")]
    MethodNotImplemented,
    /// 413: what the request wants to keep is above what the store takes. The protocol knows no such limit.
    #[error("The data to be stored is too large: {size} bytes, at most {limit} are allowed")]
    TooLarge {
        /// Bytes to be stored.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// 500; the chain is logged by whoever turns it into a reply.
    #[error("Internal error")]
    Internal(Fault),
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        if let Some((size, limit)) = fault.too_large() {
            return Self::TooLarge { size, limit };
        }
        if let Some(Gone { app, tenant }) = fault.gone() {
            return unknown_tenant(&app.connection_uri_domain, &app.app_id, tenant.as_str());
        }
        Self::Internal(fault)
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

    /// The reply for this error. Text of a [`Fault`] never leaves the process.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let status = match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::InvalidApiKey => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotSupported { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::MethodNotImplemented => StatusCode::NOT_IMPLEMENTED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let reply = Reply::text(status, &self.to_string());
        match self {
            Self::MethodNotSupported { allowed } => {
                let names: Vec<&str> = allowed.iter().map(|verb| verb.name()).collect();
                Reply { allow: Some(names.join(", ")), ..reply }
            }
            _ => reply,
        }
    }
}
