//! Changes to an app's keys, by schedule and by an operator, in one transaction each.

use super::ring::{KeyRing, RingParts, SEALING_KEY_NAME, V2_KEY_NAME};
use super::vault::KeyVault;
use crate::crypto::signature::{KeyError, PrivateKey};
use crate::crypto::v2_refresh_token::V2RefreshKey;
use crate::domain::entropy::{Entropy, random_bytes, random_uuid};
use crate::domain::ids::{AppId, TenantId};
use crate::domain::key::{
    KeyKind, KeyLife, KeyRules, KeySpec, KeyStage, Kid, RefreshTokenFormat, RingPlan, SigningAlgorithm,
};
use crate::domain::secret::Secret;
use crate::domain::time::{SteadyMillis, UnixMillis};
use crate::fault::{Fault, Gone};
use crate::store::sealing_key::{SealingKeyEntry, V2Secret};
use crate::store::signing_key::{SigningKey, StoredSecret};
use crate::store::{self, CommitError, Engine, Tx, key_vault, sealing_key, signing_key};
use futures_util::future::try_join_all;
use std::sync::Arc;

/// Attempts before a change that keeps conflicting fails.
const ATTEMPTS: usize = 20;

/// The environment that key rings need.
#[derive(Clone, Copy)]
pub struct KeyContext<'a> {
    /// The store of the records.
    pub store: &'a dyn Engine,
    /// Unpredictable bytes.
    pub entropy: &'a dyn Entropy,
    /// The present by the wall clock.
    pub now: UnixMillis,
    /// The present by the steady clock, for pauses.
    pub steady: SteadyMillis,
    /// Whether the clock can be relied on for actions that cannot be undone; see [`crate::domain::clock_watch`].
    pub settled: bool,
}

/// A change requested in addition to the schedule.
#[derive(Debug, Clone, Copy)]
pub enum KeyChange<'a> {
    /// Only what the schedule requires.
    Schedule {
        /// Whether RSA was requested recently, whatever the app's algorithm.
        with_rsa: bool,
    },
    /// Makes a new dynamic key now.
    Rotate {
        /// Whether it signs at once; otherwise after the overlap.
        immediate: bool,
    },
    /// Withdraws this key.
    Revoke {
        /// The key's name.
        kid: &'a Kid,
        /// The operator's reason.
        why: &'a str,
    },
}

/// The result of a change.
pub(super) struct Changed {
    pub(super) ring: KeyRing,
    pub(super) outcome: Outcome,
}

/// The outcome of the operator's part of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or nothing was requested.
    Done {
        /// The dynamic keys that were made, starting with the one of the app's algorithm.
        made: Vec<Kid>,
    },
    /// There is no such key.
    NoSuchKey,
    /// The key was already withdrawn or deleted.
    AlreadyEnded,
}

/// The vault in use, and the one that a committed change of the master key will use, if its caller went away before it
/// could put that vault in place.
pub(super) struct Vaults {
    pub(super) current: Arc<KeyVault>,
    pub(super) next: Option<Arc<KeyVault>>,
}

/// One change of one app's keys.
pub(super) struct Work<'a> {
    context: KeyContext<'a>,
    vault: Arc<KeyVault>,
    next_vault: Option<Arc<KeyVault>>,
    app: &'a AppId,
    serial: u64,
    /// The app's settings.
    configured: KeyRules,
    /// The same, as they apply to this app.
    rules: KeyRules,
    /// Keys made for an attempt that conflicted: RSA keys are too expensive to throw away.
    spare: Vec<PrivateKey>,
}

/// An app's keys as loaded, then as changed.
struct Loaded {
    sealing: SealingKeyEntry,
    keys: Vec<SigningKey>,
    changed: bool,
}

impl<'a> Work<'a> {
    pub(super) fn new(context: KeyContext<'a>, vaults: Vaults, app: &'a AppId, serial: u64, rules: KeyRules) -> Self {
        let Vaults { current: vault, next: next_vault } = vaults;
        Self { context, vault, next_vault, app, serial, configured: rules, rules, spare: Vec::new() }
    }

    /// Loads, changes and commits; repeats that if another change came in between.
    pub(super) async fn run(mut self, change: KeyChange<'_>) -> Result<Changed, Fault> {
        for _ in 0..ATTEMPTS {
            let mut tx = self.context.store.begin();
            let mut loaded = self.load(&mut *tx).await?;
            let before = loaded.keys.clone();
            let outcome = self.apply(&mut loaded, change).await?;
            let plan = self.advance(&mut loaded)?;
            self.write(&mut *tx, &mut loaded, &before)?;
            if loaded.changed {
                match tx.commit().await {
                    Ok(()) => {}
                    Err(CommitError::Conflict) => continue,
                    Err(CommitError::Store(error)) => return Err(Fault::new("committing keys", error)),
                }
            }
            let ring = self.ring(&loaded, plan)?;
            return Ok(Changed { ring, outcome });
        }
        Err(Fault::invariant("changing keys: other changes kept coming in between"))
    }

    async fn load(&mut self, tx: &mut dyn Tx) -> Result<Loaded, Fault> {
        let doing = "loading keys";
        // The commit fails if the app is removed meanwhile: no key outlives its app.
        if !store::app::exists(tx, self.app).await.map_err(|error| Fault::new(doing, error))? {
            return Err(Fault::new(doing, Gone { app: self.app.clone(), tenant: TenantId::public() }));
        }
        let record = key_vault::get(tx).await.map_err(|error| Fault::new(doing, error))?;
        if let Some(next) = self.next_vault.take_if(|next| next.belongs_to(record.as_ref())) {
            self.vault = next;
        }
        if !self.vault.belongs_to(record.as_ref()) {
            return Err(Fault::invariant("loading keys: they were resealed under another master key meanwhile"));
        }
        let sealing = sealing_key::get(tx, self.app).await.map_err(|error| Fault::new(doing, error))?;
        let keys = signing_key::list(tx, self.app).await.map_err(|error| Fault::new(doing, error))?;
        let mut changed = sealing.is_none();
        let mut sealing = sealing.unwrap_or_else(|| self.new_sealing_key());
        let is_moved_in = sealing.v2.as_ref().is_some_and(|v2| v2.moved_in.is_some());
        self.rules = self.configured.of_app(is_moved_in);
        if sealing.v2.is_none() && self.rules.refresh_tokens == RefreshTokenFormat::V2 {
            sealing.v2 = Some(self.new_v2_secret());
            changed = true;
        }
        Ok(Loaded { sealing, keys, changed })
    }

    /// Makes the requested change, and makes the keys that are missing or due.
    async fn apply(&mut self, loaded: &mut Loaded, change: KeyChange<'_>) -> Result<Outcome, Fault> {
        let now = self.context.now;
        let mut refused = None;
        // An operator's change also applies to the RSA keys, if the app has any besides its own.
        let has_rsa = loaded.keys.iter().any(|key| {
            let life = &key.life;
            life.kind == KeyKind::Dynamic && life.algorithm == SigningAlgorithm::RS256 && life.may_sign()
        });
        let (with_rsa, rotate) = match change {
            KeyChange::Schedule { with_rsa } => (with_rsa, false),
            KeyChange::Revoke { .. } => (has_rsa, false),
            KeyChange::Rotate { .. } => (has_rsa, true),
        };
        match change {
            KeyChange::Schedule { .. } | KeyChange::Rotate { immediate: false } => {}
            KeyChange::Rotate { immediate: true } => {
                for key in loaded.keys.iter_mut().filter(|key| key.life.kind == KeyKind::Dynamic) {
                    let _ = key.life.retire(now); // those that can still sign
                }
            }
            KeyChange::Revoke { kid, why } => match loaded.keys.iter_mut().find(|key| key.life.kid == *kid) {
                None => refused = Some(Outcome::NoSuchKey),
                Some(key) => {
                    if key.life.revoke(now, why).is_err() {
                        refused = Some(Outcome::AlreadyEnded);
                    }
                }
            },
        }
        let mut due = self.rules.due(&lives(&loaded.keys), with_rsa, now);
        if rotate {
            let own = (KeyKind::Dynamic, self.rules.algorithm);
            let rsa = with_rsa.then_some((KeyKind::Dynamic, SigningAlgorithm::RS256));
            for spec in [own].into_iter().chain(rsa) {
                if !due.contains(&spec) {
                    due.push(spec);
                }
            }
        }
        let made = self.make(loaded, due).await?;
        Ok(refused.unwrap_or(Outcome::Done { made }))
    }

    /// Makes keys; returns the names of the dynamic ones, starting with the one of the app's algorithm.
    async fn make(&mut self, loaded: &mut Loaded, mut due: Vec<KeySpec>) -> Result<Vec<Kid>, Fault> {
        due.sort_by_key(|(kind, algorithm)| (*kind, *algorithm != self.rules.algorithm));
        let mut spare = std::mem::take(&mut self.spare);
        let keys = due.iter().map(|(_, algorithm)| {
            let found = spare.iter().position(|key| key.algorithm() == *algorithm).map(|at| spare.swap_remove(at));
            generate_unless(found, *algorithm, self.context.entropy)
        });
        let keys = try_join_all(keys.collect::<Vec<_>>()).await?;
        let mut made = Vec::new();
        for ((kind, _), key) in due.into_iter().zip(keys) {
            let stored = self.new_signing_key(kind, &key, &loaded.keys).map_err(unusable)?;
            if kind == KeyKind::Dynamic {
                made.push(stored.life.kid.clone());
            }
            self.spare.push(key);
            loaded.keys.push(stored);
        }
        Ok(made)
    }

    /// Advances every key through the steps that are due.
    fn advance(&self, loaded: &mut Loaded) -> Result<RingPlan, Fault> {
        let mut all = lives(&loaded.keys);
        let plan = self.rules.advance(&mut all, self.context.now);
        if self.context.settled {
            self.rules.delete_ended(&mut all, self.context.now);
        }
        for (key, life) in loaded.keys.iter_mut().zip(all) {
            key.life = life;
            if !matches!(key.life.stage(), KeyStage::Created | KeyStage::Published | KeyStage::InUse) {
                // A key that no longer signs needs no secret.
                key.secret = StoredSecret::Gone;
            }
        }
        plan.ok_or(Fault::invariant("planning keys although one of each kind was made"))
    }

    fn write(&self, tx: &mut dyn Tx, loaded: &mut Loaded, before: &[SigningKey]) -> Result<(), Fault> {
        let failed = |error| Fault::new("writing keys", error);
        for key in &loaded.keys {
            if self.context.settled && self.rules.is_forgettable(&key.life, self.context.now) {
                signing_key::delete(tx, self.app, &key.life.kid);
                loaded.changed = true;
            } else if !before.contains(key) {
                signing_key::put(tx, self.app, key.clone()).map_err(failed)?;
                loaded.changed = true;
            }
        }
        if loaded.changed {
            loaded.sealing.revision += 1;
            sealing_key::put(tx, self.app, loaded.sealing.clone()).map_err(failed)?;
        }
        Ok(())
    }

    fn ring(&self, loaded: &Loaded, plan: RingPlan) -> Result<KeyRing, Fault> {
        let parts = RingParts {
            app: self.app,
            serial: self.serial,
            rules: self.configured,
            refresh_tokens: self.rules.refresh_tokens,
            now: self.context.now,
            plan,
            keys: &loaded.keys,
            sealing: &loaded.sealing,
            vault: &self.vault,
        };
        parts.ring()
    }

    fn new_sealing_key(&self) -> SealingKeyEntry {
        let key: [u8; 32] = random_bytes(self.context.entropy);
        let secret = self.vault.store(self.app, SEALING_KEY_NAME, &Secret::new(key.to_vec()), self.context.entropy);
        SealingKeyEntry { revision: 0, id: 1, created: self.context.now, secret, v2: None }
    }

    fn new_v2_secret(&self) -> V2Secret {
        let key = V2RefreshKey::generate(self.context.entropy);
        let text = Secret::new(key.text().expose().clone().into_bytes());
        let secret = self.vault.store(self.app, V2_KEY_NAME, &text, self.context.entropy);
        V2Secret { secret, moved_in: None }
    }

    fn new_signing_key(&self, kind: KeyKind, key: &PrivateKey, others: &[SigningKey]) -> Result<SigningKey, KeyError> {
        let mut created = self.context.now;
        let kid = match kind {
            KeyKind::Static => Kid::fixed(random_uuid(self.context.entropy)),
            KeyKind::Dynamic => {
                // Two keys of the same millisecond must not share a name, and in one lineage one must be the newer.
                let is_taken = |created: UnixMillis| {
                    let lives = others.iter().map(|other| &other.life);
                    lives.filter(|life| life.algorithm == key.algorithm()).any(|life| life.created == created)
                };
                while is_taken(created) {
                    created = created.plus(1);
                }
                let mut named = created;
                while others.iter().any(|other| other.life.kid == Kid::dynamic(named)) {
                    named = named.plus(1);
                }
                Kid::dynamic(named)
            }
        };
        let secret = self.vault.store(self.app, kid.as_str(), &key.secret_bytes()?, self.context.entropy);
        let life = KeyLife::created(kid, kind, key.algorithm(), self.rules.update_interval_ms, created);
        Ok(SigningKey { life, public: key.public_key()?.to_bytes(), secret })
    }
}

fn lives(keys: &[SigningKey]) -> Vec<KeyLife> {
    keys.iter().map(|key| key.life.clone()).collect()
}

fn unusable(error: KeyError) -> Fault {
    Fault::new("making a signing key", error)
}

/// The key that was found, or a new one.
async fn generate_unless(
    found: Option<PrivateKey>,
    algorithm: SigningAlgorithm,
    entropy: &dyn Entropy,
) -> Result<PrivateKey, Fault> {
    match (found, algorithm) {
        (Some(key), _) => Ok(key),
        (None, SigningAlgorithm::EdDSA) => PrivateKey::generate_ed25519(entropy).map_err(unusable),
        (None, SigningAlgorithm::RS256) => tokio::task::spawn_blocking(PrivateKey::generate_rsa)
            .await
            .map_err(|error| Fault::new("making an RSA key", error))?
            .map_err(unusable),
    }
}
