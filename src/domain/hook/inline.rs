//! [`InlineHook`]: a program that is asked before something happens.

use crate::domain::webhook::Webhook;
use crate::table::table;
use std::time::Duration;

table! {
    /// What a program can be asked about.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum HookPoint {
        /// Somebody is about to get a new login method.
        SignUp, "sign_up";
        /// Somebody has shown the right password or code, and is about to be signed in with it.
        SignIn, "sign_in";
        /// A session is about to begin or to be refreshed.
        Token, "token";
    }
}

impl HookPoint {
    /// The point with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|point| point.name() == name)
    }
}

/// A program that is asked whether something may happen.
#[derive(Debug, Clone)]
pub struct InlineHook {
    /// How it is called.
    pub webhook: Webhook,
    /// What it is asked about.
    pub points: Vec<HookPoint>,
    /// How long it may take, the wait for its turn included.
    pub timeout: Duration,
    /// Whether what it does not answer about may happen.
    pub fails_open: bool,
}
