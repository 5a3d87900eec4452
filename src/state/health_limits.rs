//! [`HealthLimits`]: limits how often health checks may reach the store.

use crate::domain::ids::AppId;
use crate::domain::time::SteadyMillis;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Checks that may reach the store at once before the limit applies.
const BURST: u64 = 5;
/// The interval after which one more check may reach the store, in ms.
const REFILL_MS: u64 = 200;

/// From this number of apps on, those that were idle long enough to have a full bucket again are dropped.
const MAX_BUCKETS: usize = 1024;

/// One token bucket per app, so that a flood of health checks does not become a flood of store reads.
#[derive(Default)]
pub struct HealthLimits {
    buckets: Mutex<HashMap<AppId, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: u64,
    last: SteadyMillis,
}

impl HealthLimits {
    /// Whether this app's health check may reach the store now; counts the check.
    pub fn allow(&self, app: &AppId, now: SteadyMillis) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(bucket) = buckets.get_mut(app) else {
            if buckets.len() >= MAX_BUCKETS {
                buckets.retain(|_, bucket| !bucket.last.age(now).has_reached(BURST * REFILL_MS));
            }
            buckets.insert(app.clone(), Bucket { tokens: BURST - 1, last: now });
            return true;
        };
        let tokens = bucket.tokens.saturating_add(bucket.last.age(now).at_least() / REFILL_MS).min(BURST);
        if tokens == 0 {
            return false;
        }
        *bucket = Bucket { tokens: tokens - 1, last: now };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_apps_are_forgotten_and_busy_ones_keep_their_limit() {
        let limits = HealthLimits::default();
        let app = |n: usize| AppId { connection_uri_domain: String::new(), app_id: format!("a{n}") };
        let held = || limits.buckets.lock().unwrap().len();
        for n in 0..MAX_BUCKETS {
            assert!(limits.allow(&app(n), SteadyMillis(1_000)));
        }
        for _ in 0..BURST {
            assert!(limits.allow(&app(MAX_BUCKETS), SteadyMillis(1_999)));
        }
        assert_eq!(held(), MAX_BUCKETS + 1);
        assert!(limits.allow(&app(MAX_BUCKETS + 1), SteadyMillis(2_000)));
        assert_eq!(held(), 2);
        assert!(!limits.allow(&app(MAX_BUCKETS), SteadyMillis(2_000)));
    }
}
