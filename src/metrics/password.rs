//! Figures about passwords: the outcomes of sign-ins, and the time hashing takes.

use crate::crypto::password::pool::PoolStats;
use crate::domain::password::HashFamily;
use crate::table::table;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

table! {
    /// The outcome of a sign-in with a password.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum SignInOutcome {
        /// The user signed in.
        Ok, "ok";
        /// Unknown e-mail address or wrong password.
        WrongCredentials, "wrong_credentials";
        /// Refused without a check: too many have failed before.
        Delayed, "delayed";
        /// Refused without a check: the queue for hashing is full.
        Busy, "busy";
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FamilyLabels {
    family: &'static str,
}

/// Registers the figures of the hashing threads.
pub(super) fn register(registry: &mut Registry, stats: &[PoolStats; HashFamily::ALL.len()]) {
    let waiting: Family<FamilyLabels, Gauge<u64, AtomicU64>> = Family::default();
    let [done, refused]: [Family<FamilyLabels, Counter>; 2] = Default::default();
    let [waited, worked]: [Family<FamilyLabels, Counter<f64, AtomicU64>>; 2] = Default::default();
    for (family, stats) in HashFamily::ALL.into_iter().zip(stats) {
        let labels = FamilyLabels { family: label(family) };
        waiting.get_or_create(&labels).set(stats.waiting);
        done.get_or_create(&labels).inc_by(stats.done);
        refused.get_or_create(&labels).inc_by(stats.refused);
        waited.get_or_create(&labels).inc_by(seconds(stats.waited_us));
        worked.get_or_create(&labels).inc_by(seconds(stats.worked_us));
    }
    registry.register("password_hash_queue", "Callers waiting for a password to be hashed", waiting);
    registry.register("password_hashes", "Passwords hashed", done);
    registry.register("password_hashes_refused", "Callers refused because the queue was full", refused);
    registry.register("password_hash_wait_seconds", "Time callers have waited in the queue", waited);
    registry.register("password_hash_seconds", "Time spent hashing", worked);
}

const fn label(family: HashFamily) -> &'static str {
    match family {
        HashFamily::Bcrypt => "bcrypt",
        HashFamily::Argon2 => "argon2",
        HashFamily::FirebaseScrypt => "firebase_scrypt",
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure to be looked at")]
fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}
