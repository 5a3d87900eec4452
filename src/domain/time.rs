//! Time as the protocol counts it: milliseconds since the Unix epoch.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// Whole seconds, rounded down (JWT `iat` and `exp`).
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// This moment rounded down to the second.
    #[must_use]
    pub const fn floor_to_second(self) -> Self {
        Self(self.0 - self.0 % 1000)
    }

    /// `millis` later; the end of time instead of an overflow.
    #[must_use]
    pub const fn plus(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this moment; 0 when `earlier` is in the future.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Where the present comes from. Only the composition root names the real one.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> UnixMillis;
}
