//! Which keys an app needs, which of them sign, which verify, and how long all of that holds.
//!
//! U is the update interval of dynamic keys, V the lifetime of access tokens. A new dynamic key is made when the newest
//! has less than the overlap left of its U. It is published at once and signs after the overlap; until then its
//! predecessor goes on signing, so that a verifier that caches the JWKS document for `max-age` has seen the new key by
//! the time it signs. A key's tokens are accepted until 2 V after its use. When the app's algorithm changes, the new
//! algorithm's key takes over in the same way, and tokens of the old one are still accepted: nobody is signed out. A
//! key remembers the longest U under which it has signed, so that a shorter one set later ends none of its tokens.
//!
//! Some verifiers support RSA only. For them an app with another algorithm also has RSA keys, under the same rules:
//! made on the first request for them, and replaced as long as they are requested. An RSA key left over from before a
//! switch of algorithm serves these verifiers until its U is over.

use super::life::{KeyLife, KeyStage};
use super::{KeyKind, Kid, RefreshTokenFormat, SigningAlgorithm};
use crate::domain::time::UnixMillis;

/// How long the history of deleted keys is kept.
pub const HISTORY_MS: u64 = 400 * 24 * 3_600_000;

/// An app's settings for its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRules {
    /// The algorithm of new keys.
    pub algorithm: SigningAlgorithm,
    /// Whether `algorithm` was chosen; otherwise an app that was moved in keeps RSA (see [`KeyRules::of_app`]).
    pub is_algorithm_chosen: bool,
    /// The form of new refresh tokens.
    pub refresh_tokens: RefreshTokenFormat,
    /// U: how long a dynamic key is used, in ms.
    pub update_interval_ms: u64,
    /// V: the lifetime of access tokens, in ms.
    pub access_token_validity_ms: u64,
    /// How long a key is published before it signs, in ms.
    pub overlap_ms: u64,
}

/// The keys that sign: one of each kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKids {
    /// The dynamic key.
    pub dynamic: Kid,
    /// The static key.
    pub fixed: Kid,
}

/// What holds from now until `valid_until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingPlan {
    /// The keys that sign.
    pub signing: SigningKids,
    /// The keys that sign for verifiers limited to RSA, if the app has any.
    pub rsa: Option<RsaPlan>,
    /// Keys whose tokens are accepted, in the order of the JWKS document.
    pub verifying: Vec<Kid>,
    /// When the next dynamic key is due; the JWKS document may be cached until then.
    pub next_key_due: UnixMillis,
    /// When a new plan is needed.
    pub valid_until: UnixMillis,
}

/// The RSA half of a [`RingPlan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaPlan {
    /// The keys that sign.
    pub signing: SigningKids,
    /// When the next dynamic key is due, if RSA is still requested then.
    pub next_key_due: UnixMillis,
}

/// The kind and algorithm of a key to be made.
pub type KeySpec = (KeyKind, SigningAlgorithm);

impl KeyRules {
    /// The rules for an app that was, or was not, moved in from an original core: what is not chosen stays as it was
    /// there, because verifiers such as gateways were written for RSA, and so that the app can be moved out again.
    #[must_use]
    pub fn of_app(mut self, is_moved_in: bool) -> Self {
        if is_moved_in && !self.is_algorithm_chosen {
            self.algorithm = SigningAlgorithm::RS256;
        }
        if self.refresh_tokens == RefreshTokenFormat::Auto {
            self.refresh_tokens = if is_moved_in { RefreshTokenFormat::V2 } else { RefreshTokenFormat::Sealed };
        }
        self
    }

    /// The keys that are missing or due. `with_rsa`: RSA is requested, whatever the app's algorithm.
    #[must_use]
    pub fn due(&self, keys: &[KeyLife], with_rsa: bool, now: UnixMillis) -> Vec<KeySpec> {
        let beside = (with_rsa && self.algorithm != SigningAlgorithm::RS256).then_some(SigningAlgorithm::RS256);
        let mut due = Vec::new();
        for algorithm in [self.algorithm].into_iter().chain(beside) {
            let dynamic = newest(keys, KeyKind::Dynamic, algorithm);
            if dynamic.is_none_or(|newest| now > self.next_due(newest) || self.is_expired(newest, now)) {
                due.push((KeyKind::Dynamic, algorithm));
            }
            if newest(keys, KeyKind::Static, algorithm).is_none() {
                due.push((KeyKind::Static, algorithm));
            }
        }
        due
    }

    /// Advances every key through the steps that are due, and returns what holds then. `None` while a kind of key is
    /// missing (see [`due`](Self::due)).
    #[must_use]
    pub fn advance(&self, keys: &mut [KeyLife], now: UnixMillis) -> Option<RingPlan> {
        for key in keys.iter_mut() {
            let _ = key.publish(now); // only newly created ones can
        }
        let kids_for = |readers| -> [Option<Kid>; 2] {
            [KeyKind::Dynamic, KeyKind::Static]
                .map(|kind| self.signer(keys, kind, readers, now).map(|key| key.kid.clone()))
        };
        let ([dynamic, fixed], rsa) = (kids_for(Readers::Any), kids_for(Readers::OfRsa));
        let signing = SigningKids { dynamic: dynamic?, fixed: fixed? };
        let signers: Vec<Kid> =
            [&signing.dynamic, &signing.fixed].into_iter().chain(rsa.iter().flatten()).cloned().collect();
        let created = |kid: &Kid| keys.iter().find(|key| key.kid == *kid).map(|key| key.created);
        let newest_own = newest(keys, KeyKind::Dynamic, self.algorithm)?.kid.clone();
        let dynamic_created = created(&signing.dynamic)?;
        let rsa_created = rsa.first().and_then(Option::as_ref).and_then(created);
        for key in keys.iter_mut() {
            let successor = match key.algorithm {
                SigningAlgorithm::RS256 => rsa_created.unwrap_or(dynamic_created),
                SigningAlgorithm::EdDSA => dynamic_created,
            };
            let is_superseded = key.created < successor && key.kid != newest_own;
            if signers.contains(&key.kid) {
                let _ = key.use_first(now); // only published ones can
                key.extend(key.created.plus(self.update_interval_ms));
            } else if key.kind == KeyKind::Dynamic && (is_superseded || self.is_expired(key, now)) {
                let _ = key.retire(now); // only those that could sign can
            }
        }
        let rsa_due = newest(keys, KeyKind::Dynamic, SigningAlgorithm::RS256).map(|newest| self.next_due(newest));
        let rsa = match (rsa, rsa_due) {
            ([Some(dynamic), Some(fixed)], Some(next_key_due)) => {
                Some(RsaPlan { signing: SigningKids { dynamic, fixed }, next_key_due })
            }
            _ => None,
        };
        let own_due = self.next_due(newest(keys, KeyKind::Dynamic, self.algorithm)?);
        Some(RingPlan {
            verifying: self.verifying(keys, now),
            next_key_due: rsa_due.filter(|due| *due >= now).map_or(own_due, |due| due.min(own_due)),
            valid_until: self.next_change(keys, &signing, now),
            signing,
            rsa,
        })
    }

    /// Names of the keys whose tokens are accepted, in the order of the JWKS document: RSA first, because a verifier
    /// that tries one key after another for a token without a `kid` may give up at a key of another type.
    fn verifying(&self, keys: &[KeyLife], now: UnixMillis) -> Vec<Kid> {
        let mut verifying: Vec<&KeyLife> = keys.iter().filter(|key| now < self.verifies_until(key)).collect();
        verifying.sort_by_key(|key| {
            let is_rsa = key.algorithm == SigningAlgorithm::RS256;
            (!is_rsa, key.kind, std::cmp::Reverse(key.created), key.kid.clone())
        });
        verifying.into_iter().map(|key| key.kid.clone()).collect()
    }

    /// Turns keys into history once all of their tokens have expired. That cannot be undone, so `now` must not come
    /// from a clock that has just jumped; waiting is harmless, as such keys are no longer used.
    pub fn delete_ended(&self, keys: &mut [KeyLife], now: UnixMillis) {
        for key in keys.iter_mut().filter(|key| self.natural_end(key) <= now) {
            let _ = key.delete(now); // only retired and revoked ones can
        }
    }

    /// Until when (exclusive) this key's tokens are accepted.
    #[must_use]
    pub fn verifies_until(&self, key: &KeyLife) -> UnixMillis {
        match key.stage() {
            KeyStage::Created | KeyStage::Revoked | KeyStage::Deleted => UnixMillis(0),
            KeyStage::Published | KeyStage::InUse | KeyStage::Retired => self.natural_end(key),
        }
    }

    /// True when only a key's history is left, and it is no longer needed.
    #[must_use]
    pub fn is_forgettable(&self, key: &KeyLife, now: UnixMillis) -> bool {
        let ended = key.deleted.or_else(|| key.revoked.as_ref().map(|revocation| revocation.at));
        ended.is_some_and(|ended| ended.age(now).has_reached(HISTORY_MS))
    }

    /// When the last of a key's tokens expires, unless the key is withdrawn.
    fn natural_end(&self, key: &KeyLife) -> UnixMillis {
        if key.kind == KeyKind::Static {
            return UnixMillis(u64::MAX);
        }
        let used = key.retired.map_or(key.planned_end, |retired| retired.min(key.planned_end));
        let by_interval = key.created.plus(self.update_interval_ms);
        used.max(by_interval).plus(self.access_token_validity_ms.saturating_mul(2))
    }

    /// The key of a kind that signs now: the newest, unless it is too young and an older one can still sign.
    fn signer<'a>(&self, keys: &'a [KeyLife], kind: KeyKind, readers: Readers, now: UnixMillis) -> Option<&'a KeyLife> {
        let algorithm = match readers {
            Readers::Any => self.algorithm,
            Readers::OfRsa => SigningAlgorithm::RS256,
        };
        let newest = newest(keys, kind, algorithm)?;
        if readers == Readers::OfRsa && self.is_expired(newest, now) {
            return None; // no successor has been requested
        }
        if self.is_known(newest, now) {
            return Some(newest);
        }
        let stand_in = keys
            .iter()
            .filter(|key| key.kind == kind && key.kid != newest.kid && key.may_sign())
            .filter(|key| readers == Readers::Any || key.algorithm == algorithm)
            .filter(|key| key.first_used.is_some_and(|used| used < newest.created) || self.is_known(key, now))
            .filter(|key| !self.is_expired(key, now))
            .max_by_key(|key| (key.algorithm == algorithm, key.created));
        Some(stand_in.unwrap_or(newest))
    }

    /// True when a key has been published for the overlap.
    fn is_known(&self, key: &KeyLife, now: UnixMillis) -> bool {
        now >= key.created.plus(self.overlap_ms)
    }

    /// True for a dynamic key at the end of its U.
    fn is_expired(&self, key: &KeyLife, now: UnixMillis) -> bool {
        key.kind == KeyKind::Dynamic && now >= key.created.plus(self.update_interval_ms)
    }

    /// `newest` needs a successor from the millisecond after this one.
    const fn next_due(&self, newest: &KeyLife) -> UnixMillis {
        newest.created.plus(self.update_interval_ms).minus(self.overlap_ms)
    }

    fn next_change(&self, keys: &[KeyLife], signing: &SigningKids, now: UnixMillis) -> UnixMillis {
        let due = [SigningAlgorithm::EdDSA, SigningAlgorithm::RS256]
            .into_iter()
            .filter_map(|algorithm| newest(keys, KeyKind::Dynamic, algorithm))
            .map(|newest| self.next_due(newest).plus(1));
        let ends = keys.iter().map(|key| self.verifies_until(key));
        let takes_over = keys
            .iter()
            .filter(|key| key.may_sign() && key.kid != signing.dynamic && key.kid != signing.fixed)
            .map(|key| key.created.plus(self.overlap_ms));
        let interval_ends = keys
            .iter()
            .filter(|key| key.may_sign() && key.kind == KeyKind::Dynamic)
            .map(|key| key.created.plus(self.update_interval_ms));
        let moments = due.chain(ends).chain(takes_over).chain(interval_ends);
        moments.filter(|moment| *moment > now).min().unwrap_or_else(|| now.plus(1))
    }
}

/// The verifiers that a key signs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readers {
    /// Those that support the app's algorithm and its previous one.
    Any,
    /// Those that support RSA only.
    OfRsa,
}

/// The newest key of a kind and algorithm that is allowed to sign.
fn newest(keys: &[KeyLife], kind: KeyKind, algorithm: SigningAlgorithm) -> Option<&KeyLife> {
    let fit = keys.iter().filter(|key| {
        key.kind == kind && key.algorithm == algorithm && (key.may_sign() || key.stage() == KeyStage::Created)
    });
    fit.max_by_key(|key| key.created)
}
