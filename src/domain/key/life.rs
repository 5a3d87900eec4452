//! The life of one key: what happened to it and when. It outlives the key's secret half, as a history.

use super::{KeyKind, Kid, SigningAlgorithm};
use crate::domain::time::UnixMillis;

/// A key's stage; each follows from what has happened so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStage {
    /// Made, but not yet in any document.
    Created,
    /// In the JWKS document; has not signed yet.
    Published,
    /// Signing.
    InUse,
    /// No longer signs; its tokens are accepted until the last of them has expired.
    Retired,
    /// Withdrawn: no longer in the document, and its tokens are refused.
    Revoked,
    /// Only its history is left.
    Deleted,
}

/// A step that is not possible from a key's current stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key that is {from:?} cannot become {to:?}")]
pub struct IllegalTransition {
    /// The current stage.
    pub from: KeyStage,
    /// The stage that was requested.
    pub to: KeyStage,
}

/// Why and when a key was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// When it was withdrawn.
    pub at: UnixMillis,
    /// The operator's reason.
    pub why: String,
}

/// A key's name, kind and history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLife {
    /// Its public name.
    pub kid: Kid,
    /// Whether it is dynamic or static.
    pub kind: KeyKind,
    /// The algorithm it signs with.
    pub algorithm: SigningAlgorithm,
    /// When it was moved in from an original core; `None` for a key that was made here.
    pub moved_in: Option<UnixMillis>,
    /// When it was made; the schedule counts from here.
    pub created: UnixMillis,
    /// The planned end of use; setting a longer interval while it signs extends it, a shorter one does not shorten it.
    pub planned_end: UnixMillis,
    /// When it was added to the JWKS document.
    pub published: Option<UnixMillis>,
    /// When it started to sign.
    pub first_used: Option<UnixMillis>,
    /// When it stopped signing.
    pub retired: Option<UnixMillis>,
    /// When and why it was withdrawn, if it was.
    pub revoked: Option<Revocation>,
    /// When it was deleted and became history.
    pub deleted: Option<UnixMillis>,
}

impl KeyLife {
    /// A key made just now; `update_interval_ms` is how long a dynamic key is meant to be used.
    #[must_use]
    pub fn created(
        kid: Kid,
        kind: KeyKind,
        algorithm: SigningAlgorithm,
        update_interval_ms: u64,
        created: UnixMillis,
    ) -> Self {
        let planned_end = match kind {
            KeyKind::Dynamic => created.plus(update_interval_ms),
            KeyKind::Static => UnixMillis(u64::MAX),
        };
        Self {
            kid,
            kind,
            algorithm,
            moved_in: None,
            created,
            planned_end,
            published: None,
            first_used: None,
            retired: None,
            revoked: None,
            deleted: None,
        }
    }

    /// A key that an original core has published and signed with, taken over now.
    #[must_use]
    pub fn moved_in(kid: Kid, kind: KeyKind, update_interval_ms: u64, created: UnixMillis, now: UnixMillis) -> Self {
        Self {
            moved_in: Some(now),
            published: Some(created),
            first_used: Some(created),
            ..Self::created(kid, kind, SigningAlgorithm::RS256, update_interval_ms, created)
        }
    }

    /// Its current stage.
    #[must_use]
    pub const fn stage(&self) -> KeyStage {
        if self.deleted.is_some() {
            KeyStage::Deleted
        } else if self.revoked.is_some() {
            KeyStage::Revoked
        } else if self.retired.is_some() {
            KeyStage::Retired
        } else if self.first_used.is_some() {
            KeyStage::InUse
        } else if self.published.is_some() {
            KeyStage::Published
        } else {
            KeyStage::Created
        }
    }

    /// True while it may sign.
    #[must_use]
    pub const fn may_sign(&self) -> bool {
        matches!(self.stage(), KeyStage::Published | KeyStage::InUse)
    }

    /// Marks it as added to the JWKS document.
    ///
    /// # Errors
    /// When it is at any stage but created.
    pub fn publish(&mut self, at: UnixMillis) -> Result<(), IllegalTransition> {
        self.step(KeyStage::Published, &[KeyStage::Created])?;
        self.published = Some(at);
        Ok(())
    }

    /// Marks its first signature.
    ///
    /// # Errors
    /// When it is not published, or has signed before.
    pub fn use_first(&mut self, at: UnixMillis) -> Result<(), IllegalTransition> {
        self.step(KeyStage::InUse, &[KeyStage::Published])?;
        self.first_used = Some(at);
        Ok(())
    }

    /// Extends its planned use to `until`; never shortens it.
    pub fn extend(&mut self, until: UnixMillis) {
        self.planned_end = self.planned_end.max(until);
    }

    /// Marks it as no longer signing.
    ///
    /// # Errors
    /// When it was not allowed to sign.
    pub fn retire(&mut self, at: UnixMillis) -> Result<(), IllegalTransition> {
        self.step(KeyStage::Retired, &[KeyStage::Published, KeyStage::InUse])?;
        self.retired = Some(at);
        Ok(())
    }

    /// Marks it as withdrawn.
    ///
    /// # Errors
    /// When it is already withdrawn or deleted.
    pub fn revoke(&mut self, at: UnixMillis, why: &str) -> Result<(), IllegalTransition> {
        self.step(KeyStage::Revoked, &[KeyStage::Created, KeyStage::Published, KeyStage::InUse, KeyStage::Retired])?;
        self.revoked = Some(Revocation { at, why: why.to_owned() });
        Ok(())
    }

    /// Marks it as history.
    ///
    /// # Errors
    /// When it is neither retired nor withdrawn.
    pub fn delete(&mut self, at: UnixMillis) -> Result<(), IllegalTransition> {
        self.step(KeyStage::Deleted, &[KeyStage::Retired, KeyStage::Revoked])?;
        self.deleted = Some(at);
        Ok(())
    }

    fn step(&self, to: KeyStage, legal: &[KeyStage]) -> Result<(), IllegalTransition> {
        let from = self.stage();
        if legal.contains(&from) { Ok(()) } else { Err(IllegalTransition { from, to }) }
    }
}
