//! `shouldTryLinkingWithSessionUser`.

use crate::http::fdi::call::FrontCall;
use crate::http::fdi::input::Body;
use serde_json::Value;

/// Whether a sign-in is meant to add a factor to the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkingFlag {
    Yes,
    No,
    /// The client is too old to say, or says something else.
    Unsaid,
}

impl LinkingFlag {
    /// What the body says.
    pub(super) fn of(call: &FrontCall, body: &Body) -> Self {
        if !call.version().has_linking_flag {
            return Self::Unsaid;
        }
        match body.get("shouldTryLinkingWithSessionUser") {
            Some(Value::Bool(true)) => Self::Yes,
            None | Some(Value::Null | Value::Bool(false)) => Self::No,
            Some(_) => Self::Unsaid,
        }
    }
}
