//! [`Fault`]: the third kind of bad news. The server could not do its work; the caller did nothing wrong.

use crate::domain::ids::{AppId, TenantId};
use crate::store::{CommitError, StoreError};
use std::error::Error;
use std::fmt;

/// An internal failure, answered with HTTP 500 and logged once, with its chain, where it is handled.
///
/// None of it reaches the reply. Protocol outcomes are variants of a command's result, bad input is an
/// [`ApiError`](crate::http::error::ApiError).
#[derive(Debug)]
pub struct Fault {
    doing: &'static str,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// A tenant, or a whole app, was removed while work for it was in progress.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("app {app:?} or its tenant {tenant:?} was removed meanwhile")]
pub struct Gone {
    /// The app, or the app of the tenant.
    pub app: AppId,
    /// The tenant; the public one of an app that is gone as a whole.
    pub tenant: TenantId,
}

impl Fault {
    /// A fault with its cause; `doing` states what was attempted ("committing a session").
    pub fn new(doing: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { doing, source: Some(source.into()) }
    }

    /// A fault without an underlying error: a broken invariant.
    #[must_use]
    pub const fn invariant(doing: &'static str) -> Self {
        Self { doing, source: None }
    }

    /// The sizes in bytes (given and allowed), when the cause is data that is too large for any engine.
    ///
    /// Such a fault is the caller's after all: the edge answers it as bad input.
    #[must_use]
    pub fn too_large(&self) -> Option<(usize, usize)> {
        let mut next = self.source();
        while let Some(error) = next {
            let store = error.downcast_ref::<StoreError>();
            let store = store.or_else(|| match error.downcast_ref::<CommitError>() {
                Some(CommitError::Store(store)) => Some(store),
                _ => None,
            });
            if let Some(StoreError::TooLarge { size, limit }) = store {
                return Some((*size, *limit));
            }
            next = error.source();
        }
        None
    }

    /// The app and tenant, when the cause is that they were removed meanwhile.
    ///
    /// Such a fault is a race that the caller lost: the edge answers as for a tenant that never existed.
    #[must_use]
    pub fn gone(&self) -> Option<&Gone> {
        self.source().and_then(|error| error.downcast_ref())
    }

    /// The whole chain on one line, for the log.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut line = self.doing.to_owned();
        let mut next = self.source();
        while let Some(error) = next {
            line.push_str(": ");
            line.push_str(&error.to_string());
            next = error.source();
        }
        line
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.doing)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|error| error as _)
    }
}
