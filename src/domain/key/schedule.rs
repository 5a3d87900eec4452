//! Which keys an app needs, which one signs, which verify, and until when all of that holds.
//!
//! U is the update interval of dynamic keys, V the lifetime of access tokens. A new dynamic key is made when the newest
//! has less than the overlap left of its U; it is published at once and signs after the overlap, while the one before
//! it goes on signing, so that a verifier that keeps the JWKS document for `max-age` has seen it by then. A key's
//! tokens are accepted until 2 V after its use. When the app's algorithm changes, the new algorithm's key takes over in
//! the same way, and the old one's tokens go on being accepted: nobody is signed out. A key remembers the longest U under
//! which it has signed, so that a shorter one that comes later ends none of its tokens.

use super::life::{KeyLife, KeyStage};
use super::{KeyKind, Kid, SigningAlgorithm};
use crate::domain::time::UnixMillis;

/// How long history of deleted keys is kept.
pub const HISTORY_MS: u64 = 400 * 24 * 3_600_000;

/// An app's settings for its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRules {
    /// What new keys sign with.
    pub algorithm: SigningAlgorithm,
    /// U: how long a dynamic key is used, in ms.
    pub update_interval_ms: u64,
    /// V: lifetime of access tokens, in ms.
    pub access_token_validity_ms: u64,
    /// How long a key is published before it signs, in ms.
    pub overlap_ms: u64,
}

/// What holds from now until `valid_until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingPlan {
    /// The dynamic key that signs.
    pub dynamic: Kid,
    /// The static key that signs.
    pub fixed: Kid,
    /// Keys whose tokens are accepted, in the order of the JWKS document.
    pub verifying: Vec<Kid>,
    /// When the next dynamic key is due; the JWKS document may be kept until then.
    pub next_key_due: UnixMillis,
    /// When the plan must be made again.
    pub valid_until: UnixMillis,
}

impl KeyRules {
    /// The kinds of key that are missing or due.
    #[must_use]
    pub fn due(&self, keys: &[KeyLife], now: UnixMillis) -> Vec<KeyKind> {
        let dynamic_is_due = self.newest(keys, KeyKind::Dynamic).is_none_or(|newest| now > self.next_due(newest));
        let static_is_missing = self.newest(keys, KeyKind::Static).is_none();
        let kinds = [(KeyKind::Dynamic, dynamic_is_due), (KeyKind::Static, static_is_missing)];
        kinds.into_iter().filter(|(_, due)| *due).map(|(kind, _)| kind).collect()
    }

    /// Lets every key take the steps that are due, and says what holds then. `None` while a kind of key is missing
    /// (see [`due`](Self::due)).
    #[must_use]
    pub fn advance(&self, keys: &mut [KeyLife], now: UnixMillis) -> Option<RingPlan> {
        for key in keys.iter_mut() {
            let _ = key.publish(now); // only newly created ones can
        }
        let dynamic = self.signer(keys, KeyKind::Dynamic, now)?.kid.clone();
        let fixed = self.signer(keys, KeyKind::Static, now)?.kid.clone();
        let dynamic_created = keys.iter().find(|key| key.kid == dynamic)?.created;
        for key in keys.iter_mut() {
            if key.kid == dynamic || key.kid == fixed {
                let _ = key.use_first(now); // only published ones can
                key.extend(key.created.plus(self.update_interval_ms));
            } else if key.kind == KeyKind::Dynamic
                && (key.created < dynamic_created || now >= key.created.plus(self.update_interval_ms))
            {
                let _ = key.retire(now); // only those that could sign can
            }
        }
        let mut verifying: Vec<&KeyLife> = keys.iter().filter(|key| now < self.verifies_until(key)).collect();
        verifying.sort_by_key(|key| {
            (key.kind, key.algorithm != self.algorithm, std::cmp::Reverse(key.created), key.kid.clone())
        });
        let newest = self.newest(keys, KeyKind::Dynamic)?;
        Some(RingPlan {
            verifying: verifying.iter().map(|key| key.kid.clone()).collect(),
            next_key_due: self.next_due(newest),
            valid_until: self.next_change(keys, &dynamic, &fixed, now),
            dynamic,
            fixed,
        })
    }

    /// Makes history of keys whose tokens have all ended. It cannot be undone, so `now` must not come from a clock that
    /// has just jumped: until then such keys are of no use and do no harm.
    pub fn delete_ended(&self, keys: &mut [KeyLife], now: UnixMillis) {
        for key in keys.iter_mut().filter(|key| self.natural_end(key) <= now) {
            let _ = key.delete(now); // only retired and revoked ones can
        }
    }

    /// Until when (exclusive) tokens of this key are accepted.
    #[must_use]
    pub fn verifies_until(&self, key: &KeyLife) -> UnixMillis {
        match key.stage() {
            KeyStage::Created | KeyStage::Revoked | KeyStage::Deleted => UnixMillis(0),
            KeyStage::Published | KeyStage::InUse | KeyStage::Retired => self.natural_end(key),
        }
    }

    /// True when what is left of a key is history that nobody needs any more.
    #[must_use]
    pub fn is_forgettable(&self, key: &KeyLife, now: UnixMillis) -> bool {
        let ended = key.deleted.or_else(|| key.revoked.as_ref().map(|revocation| revocation.at));
        ended.is_some_and(|ended| ended.age(now).has_reached(HISTORY_MS))
    }

    /// When the last token of a key has ended, if nobody withdraws it.
    fn natural_end(&self, key: &KeyLife) -> UnixMillis {
        if key.kind == KeyKind::Static {
            return UnixMillis(u64::MAX);
        }
        let used = key.retired.map_or(key.planned_end, |retired| retired.min(key.planned_end));
        let by_interval = key.created.plus(self.update_interval_ms);
        used.max(by_interval).plus(self.access_token_validity_ms.saturating_mul(2))
    }

    /// The newest key of a kind that may sign and has the app's algorithm.
    fn newest<'a>(&self, keys: &'a [KeyLife], kind: KeyKind) -> Option<&'a KeyLife> {
        let fit = keys.iter().filter(|key| {
            key.kind == kind && key.algorithm == self.algorithm && (key.may_sign() || key.stage() == KeyStage::Created)
        });
        fit.max_by_key(|key| key.created)
    }

    /// The key of a kind that signs now: the newest, unless it is too young and an older one can stand in.
    fn signer<'a>(&self, keys: &'a [KeyLife], kind: KeyKind, now: UnixMillis) -> Option<&'a KeyLife> {
        let newest = self.newest(keys, kind)?;
        if self.is_known(newest, now) {
            return Some(newest);
        }
        let stand_in = keys
            .iter()
            .filter(|key| key.kind == kind && key.kid != newest.kid && key.may_sign())
            .filter(|key| key.stage() == KeyStage::InUse || self.is_known(key, now))
            .filter(|key| kind == KeyKind::Static || now < key.created.plus(self.update_interval_ms))
            .max_by_key(|key| key.created);
        Some(stand_in.unwrap_or(newest))
    }

    /// True when a key has been published for the overlap.
    fn is_known(&self, key: &KeyLife, now: UnixMillis) -> bool {
        now >= key.created.plus(self.overlap_ms)
    }

    /// From the millisecond after this one, `newest` needs a successor.
    const fn next_due(&self, newest: &KeyLife) -> UnixMillis {
        newest.created.plus(self.update_interval_ms).minus(self.overlap_ms)
    }

    fn next_change(&self, keys: &[KeyLife], dynamic: &Kid, fixed: &Kid, now: UnixMillis) -> UnixMillis {
        let due = self.newest(keys, KeyKind::Dynamic).map(|newest| self.next_due(newest).plus(1));
        let ends = keys.iter().map(|key| self.verifies_until(key));
        let takes_over = keys
            .iter()
            .filter(|key| key.may_sign() && key.kid != *dynamic && key.kid != *fixed)
            .map(|key| key.created.plus(self.overlap_ms));
        let interval_ends = keys
            .iter()
            .filter(|key| key.may_sign() && key.kind == KeyKind::Dynamic)
            .map(|key| key.created.plus(self.update_interval_ms));
        let moments = due.into_iter().chain(ends).chain(takes_over).chain(interval_ends);
        moments.filter(|moment| *moment > now).min().unwrap_or_else(|| now.plus(1))
    }
}
