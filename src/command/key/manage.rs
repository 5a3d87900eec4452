//! Operators' tasks on keys: list, rotate, revoke.

use crate::context::Context;
use crate::domain::key::{KeyKind, KeyLife, KeyRules, KeyStage, Kid};
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::state::directory::AppEntry;
use crate::state::key::{KeyChange, Outcome};
use crate::store::signing_key;
use std::sync::Arc;

/// Lists an app's keys, with their history.
pub struct ListKeys {
    /// The app of the keys.
    pub app: Arc<AppEntry>,
}

/// A key as it is shown to operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// Id, kind and history.
    pub life: KeyLife,
    /// The current stage of its life.
    pub stage: KeyStage,
    /// Whether it signs now.
    pub signs_now: bool,
    /// Whether it signs only for SDKs that know RSA alone; the app's algorithm is another one.
    pub only_rsa_readers: bool,
    /// Until when its tokens are accepted; `None` when they are not accepted (any more).
    pub verifies_until: Option<UnixMillis>,
}

impl ListKeys {
    /// Returns the keys, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Vec<ListedKey>, Fault> {
        let ring = context.key_ring(&self.app).await?;
        let mut tx = context.store.begin();
        let keys =
            signing_key::list(&mut *tx, &self.app.id).await.map_err(|error| Fault::new("listing keys", error))?;
        let (rules, now) = (KeyRules::from(&*self.app.config), context.now());
        let mut listed: Vec<ListedKey> = keys
            .into_iter()
            .map(|key| {
                let kinds = [KeyKind::Dynamic, KeyKind::Static];
                let signs = kinds.iter().any(|kind| *ring.tokens.signing_kid(*kind) == key.life.kid);
                let signs_rsa = kinds.iter().any(|kind| ring.tokens.rsa_signing_kid(*kind) == Some(&key.life.kid));
                ListedKey {
                    stage: key.life.stage(),
                    signs_now: signs || signs_rsa,
                    only_rsa_readers: signs_rsa && !signs,
                    verifies_until: Some(rules.verifies_until(&key.life)).filter(|until| now < *until),
                    life: key.life,
                }
            })
            .collect();
        listed.sort_by(|a, b| b.life.created.cmp(&a.life.created).then_with(|| a.life.kid.cmp(&b.life.kid)));
        Ok(listed)
    }
}

/// Makes a new dynamic key now, and another one for SDKs that know RSA alone if the app has such a key.
pub struct RotateKeys {
    /// The app of the key.
    pub app: Arc<AppEntry>,
    /// Whether it signs at once. Otherwise it is published first and signs after the overlap, which suits verifiers
    /// that cache the JWKS document.
    pub immediate: bool,
}

/// The outcome of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The new key.
    pub kid: Kid,
    /// The new key for SDKs that know RSA alone, if that is a separate one.
    pub rsa_kid: Option<Kid>,
    /// When it begins to sign.
    pub signs_from: UnixMillis,
}

impl RotateKeys {
    /// Makes the key and returns the outcome.
    ///
    /// # Errors
    /// When the store or a key fails.
    pub async fn run(self, context: &Context) -> Result<Rotated, Fault> {
        let key_context = context.key_context();
        let rules = KeyRules::from(&*self.app.config);
        let change = KeyChange::Rotate { immediate: self.immediate };
        match context.keys.ask(key_context, &self.app.id, rules, change).await? {
            Outcome::Done { made } => {
                let mut made = made.into_iter();
                let kid = made.next().ok_or(Fault::invariant("rotating keys without making one"))?;
                tracing::info!(app = ?self.app.id, %kid, immediate = self.immediate, "made a new signing key");
                let wait = if self.immediate { 0 } else { rules.overlap_ms };
                Ok(Rotated { kid, rsa_kid: made.next(), signs_from: key_context.now.plus(wait) })
            }
            _ => Err(Fault::invariant("rotating keys without making one")),
        }
    }
}

/// Withdraws a key: its tokens are refused from now on.
pub struct RevokeKey<'a> {
    /// The app of the key.
    pub app: Arc<AppEntry>,
    /// The key's id.
    pub kid: &'a Kid,
    /// The reason, kept in the key's history.
    pub reason: &'a str,
}

/// The outcome of a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revoked {
    /// Its tokens are refused: here at once, elsewhere when verifiers fetch the JWKS document again.
    Ok {
        /// The dynamic key that replaces it, if it was the one that signed.
        replaced_by: Option<Kid>,
    },
    /// The app has no such key.
    NoSuchKey,
    /// It had already been withdrawn or had expired.
    AlreadyEnded,
}

impl RevokeKey<'_> {
    /// Withdraws the key and returns the outcome.
    ///
    /// # Errors
    /// When the store or a key fails.
    pub async fn run(self, context: &Context) -> Result<Revoked, Fault> {
        let rules = KeyRules::from(&*self.app.config);
        let change = KeyChange::Revoke { kid: self.kid, why: self.reason };
        Ok(match context.keys.ask(context.key_context(), &self.app.id, rules, change).await? {
            Outcome::Done { made } => {
                tracing::warn!(app = ?self.app.id, kid = %self.kid, "revoked a signing key");
                Revoked::Ok { replaced_by: made.into_iter().next() }
            }
            Outcome::NoSuchKey => Revoked::NoSuchKey,
            Outcome::AlreadyEnded => Revoked::AlreadyEnded,
        })
    }
}
