//! One key's life: what happened to it and when. It outlives the key's secret half, as its history.

use super::{KeyKind, Kid, SigningAlgorithm};
use crate::domain::time::UnixMillis;

/// Where a key stands; each stage follows from what has happened so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStage {
    /// Made, in no document yet.
    Created,
    /// In the JWKS document; has not signed.
    Published,
    /// Signs.
    InUse,
    /// Signs no more; its tokens are accepted until the last of them has ended.
    Retired,
    /// Withdrawn: no longer in the document, its tokens are refused.
    Revoked,
    /// History only.
    Deleted,
}

/// A step that does not follow from where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key that is {from:?} cannot become {to:?}")]
pub struct IllegalTransition {
    /// Where it stands.
    pub from: KeyStage,
    /// What was asked.
    pub to: KeyStage,
}

/// Why and when a key was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// When.
    pub at: UnixMillis,
    /// The operator's words.
    pub why: String,
}

/// A key's name, kind and history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLife {
    /// Its public name.
    pub kid: Kid,
    /// Dynamic or static.
    pub kind: KeyKind,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// Creation; the schedule counts from here.
    pub created: UnixMillis,
    /// End of use as planned; a longer interval that is set while it signs extends it, a shorter one does not shorten it.
    pub planned_end: UnixMillis,
    /// When it entered the JWKS document.
    pub published: Option<UnixMillis>,
    /// Since when it signs.
    pub first_used: Option<UnixMillis>,
    /// Since when it signs no more.
    pub retired: Option<UnixMillis>,
    /// Withdrawal.
    pub revoked: Option<Revocation>,
    /// Since when it is history.
    pub deleted: Option<UnixMillis>,
}

impl KeyLife {
    /// A key that was made just now; `update_interval_ms` is how long a dynamic key is meant to be used.
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
            created,
            planned_end,
            published: None,
            first_used: None,
            retired: None,
            revoked: None,
            deleted: None,
        }
    }

    /// Where it stands.
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

    /// It enters the JWKS document.
    ///
    /// # Errors
    /// Unless it was only created.
    pub fn publish(&mut self, at: UnixMillis) -> Result<(), IllegalTransition> {
        self.step(KeyStage::Published, &[KeyStage::Created])?;
        self.published = Some(at);
        Ok(())
    }

    /// It signs for the first time.
    ///
    /// # Errors
    /// Unless it is published and has not signed.
    pub fn use_first(&mut self, at: UnixMillis) -> Result<(), IllegalTransition> {
        self.step(KeyStage::InUse, &[KeyStage::Published])?;
        self.first_used = Some(at);
        Ok(())
    }

    /// It is to sign until then, if it was not to sign for longer.
    pub fn extend(&mut self, until: UnixMillis) {
        self.planned_end = self.planned_end.max(until);
    }

    /// It signs no more.
    ///
    /// # Errors
    /// Unless it could sign.
    pub fn retire(&mut self, at: UnixMillis) -> Result<(), IllegalTransition> {
        self.step(KeyStage::Retired, &[KeyStage::Published, KeyStage::InUse])?;
        self.retired = Some(at);
        Ok(())
    }

    /// It is withdrawn.
    ///
    /// # Errors
    /// When it is withdrawn or deleted already.
    pub fn revoke(&mut self, at: UnixMillis, why: &str) -> Result<(), IllegalTransition> {
        self.step(KeyStage::Revoked, &[KeyStage::Created, KeyStage::Published, KeyStage::InUse, KeyStage::Retired])?;
        self.revoked = Some(Revocation { at, why: why.to_owned() });
        Ok(())
    }

    /// It becomes history.
    ///
    /// # Errors
    /// Unless it is retired or withdrawn.
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
