//! Hooks: programs of the operator's that are told what has happened, and asked what may happen.

mod event;
mod inline;
mod kind;
mod question;

pub use event::{Circumstances, HookEvent};
pub use inline::{HookPoint, InlineHook};
pub use kind::HookEventKind;
pub use question::{Answer, Question};

use crate::domain::webhook::Webhook;
use sha2::{Digest, Sha256};

/// A program that is told of events.
#[derive(Debug, Clone)]
pub struct EventHook {
    /// How it is called.
    pub webhook: Webhook,
    /// What its events are stored under.
    pub id: EventHookId,
    /// The kinds of events that it is told of.
    pub kinds: Vec<HookEventKind>,
}

impl EventHook {
    /// Whether it is told of events of this kind.
    #[must_use]
    pub fn wants(&self, kind: HookEventKind) -> bool {
        self.kinds.contains(&kind)
    }
}

/// Identifies an app's event hook: derived from its URL, so that it stays the same when others come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventHookId(pub [u8; 8]);

impl EventHookId {
    /// The id of the hook at this URL.
    #[must_use]
    pub fn of(url: &str) -> Self {
        let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = Sha256::digest(url.as_bytes()).into();
        Self([a, b, c, d, e, f, g, h])
    }
}
