//! What operators do with keys: list, rotate, revoke.

use crate::context::Context;
use crate::domain::key::{KeyKind, KeyLife, KeyRules, KeyStage, Kid};
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::state::directory::AppEntry;
use crate::state::key::{Change, Outcome};
use crate::store::signing_key;
use std::sync::Arc;

/// Lists an app's keys, history included.
pub struct ListKeys {
    /// Whose.
    pub app: Arc<AppEntry>,
}

/// A key as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// Name, kind and history.
    pub life: KeyLife,
    /// Where it stands.
    pub stage: KeyStage,
    /// It signs now.
    pub signs_now: bool,
    /// It does so only for SDKs that know RSA alone; the app's algorithm is another one.
    pub only_rsa_readers: bool,
    /// Until when its tokens are accepted; `None` when they are not (any more).
    pub verifies_until: Option<UnixMillis>,
}

impl ListKeys {
    /// Runs the command; newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &Context) -> Result<Vec<ListedKey>, Fault> {
        let ring = app.key_ring(&self.app).await?;
        let mut tx = app.store.begin();
        let keys =
            signing_key::list(&mut *tx, &self.app.id).await.map_err(|error| Fault::new("listing keys", error))?;
        let (rules, now) = (KeyRules::from(&*self.app.config), app.now());
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

/// Makes a new dynamic key now, and another one for readers of RSA alone where the app has such.
pub struct RotateKeys {
    /// Whose.
    pub app: Arc<AppEntry>,
    /// It signs at once. Else it is published first and signs after the overlap, which is what verifiers that cache the
    /// JWKS document want.
    pub immediate: bool,
}

/// How a rotation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The new key.
    pub kid: Kid,
    /// The new key for readers of RSA alone, where that is another one.
    pub rsa_kid: Option<Kid>,
    /// From when on it signs.
    pub signs_from: UnixMillis,
}

impl RotateKeys {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store or a key fails.
    pub async fn run(self, app: &Context) -> Result<Rotated, Fault> {
        let world = app.surroundings();
        let rules = KeyRules::from(&*self.app.config);
        let change = Change::Rotate { immediate: self.immediate };
        match app.keys.ask(world, &self.app.id, rules, change).await? {
            Outcome::Done { made } => {
                let mut made = made.into_iter();
                let kid = made.next().ok_or(Fault::invariant("rotating keys without making one"))?;
                tracing::info!(app = ?self.app.id, %kid, immediate = self.immediate, "made a new signing key");
                let wait = if self.immediate { 0 } else { rules.overlap_ms };
                Ok(Rotated { kid, rsa_kid: made.next(), signs_from: world.now.plus(wait) })
            }
            _ => Err(Fault::invariant("rotating keys without making one")),
        }
    }
}

/// Withdraws a key: its tokens are refused from now on.
pub struct RevokeKey<'a> {
    /// Whose.
    pub app: Arc<AppEntry>,
    /// Which.
    pub kid: &'a Kid,
    /// Why; kept in the key's history.
    pub reason: &'a str,
}

/// How a withdrawal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revoked {
    /// Its tokens are refused, here at once, elsewhere when verifiers fetch the JWKS document again.
    Ok {
        /// The dynamic key that was made in its place, if it was the one that signed.
        replaced_by: Option<Kid>,
    },
    /// The app has no such key.
    NoSuchKey,
    /// It was withdrawn, or its time was over, before.
    AlreadyEnded,
}

impl RevokeKey<'_> {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store or a key fails.
    pub async fn run(self, app: &Context) -> Result<Revoked, Fault> {
        let rules = KeyRules::from(&*self.app.config);
        let change = Change::Revoke { kid: self.kid, why: self.reason };
        Ok(match app.keys.ask(app.surroundings(), &self.app.id, rules, change).await? {
            Outcome::Done { made } => {
                tracing::warn!(app = ?self.app.id, kid = %self.kid, "revoked a signing key");
                Revoked::Ok { replaced_by: made.into_iter().next() }
            }
            Outcome::NoSuchKey => Revoked::NoSuchKey,
            Outcome::AlreadyEnded => Revoked::AlreadyEnded,
        })
    }
}
