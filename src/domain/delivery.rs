//! When a message that could not be delivered is tried again: a mail, a text message, or an event of a hook.

use crate::domain::time::Reading;
use serde::{Deserialize, Serialize};

const SECOND_MS: u64 = 1000;
const MINUTE_MS: u64 = 60 * SECOND_MS;

/// The pauses after the first, second … failure in ms; the last one applies to all that follow.
const PAUSES_MS: [u64; 6] =
    [5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, 30 * MINUTE_MS, 60 * MINUTE_MS];

/// The shortest pause after a message was refused for good: nothing will change soon.
const AFTER_REFUSAL_MS: u64 = 10 * MINUTE_MS;

/// A message that was refused for good this often is held until the operator decides, or until it expires: more of it
/// would only harm the sender's reputation.
pub const MAX_REFUSALS: u32 = 3;

/// How a delivery failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The server could not be reached, did not speak its protocol, or did not accept us: no other message would get
    /// through either.
    Unavailable,
    /// The server does not want this message now (4xx in SMTP).
    Deferred,
    /// The server does not want this message at all (5xx in SMTP).
    Refused,
}

/// How the delivery of a message has gone so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Attempts that failed.
    pub failures: u32,
    /// Those of them that the server refused for good.
    pub refusals: u32,
    /// The last attempt.
    pub tried: Option<Reading>,
}

/// When a message is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Now.
    Now,
    /// After this many ms.
    In(u64),
    /// Not by itself.
    Held,
}

impl Progress {
    /// When the message is to be sent, as of `now`.
    #[must_use]
    pub fn due(&self, now: &Reading) -> Due {
        if self.refusals >= MAX_REFUSALS {
            return Due::Held;
        }
        let Some(tried) = self.tried else { return Due::Now };
        let least = if self.refusals > 0 { AFTER_REFUSAL_MS } else { 0 };
        let left = tried.age(now).pause_left(pause_ms(self.failures).max(least));
        left.map_or(Due::Now, Due::In)
    }

    /// The progress after another failure.
    #[must_use]
    pub const fn failed(self, failure: Failure, now: Reading) -> Self {
        let refused = matches!(failure, Failure::Refused) as u32;
        Self {
            failures: self.failures.saturating_add(1),
            refusals: self.refusals.saturating_add(refused),
            tried: Some(now),
        }
    }
}

/// The pause after so many failures in a row, in ms.
#[must_use]
pub fn pause_ms(failures: u32) -> u64 {
    let Some(place) = failures.checked_sub(1) else { return 0 };
    let place = usize::try_from(place).unwrap_or(usize::MAX);
    PAUSES_MS.get(place).or(PAUSES_MS.last()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::{BootId, SteadyMillis, UnixMillis};

    fn at(ms: u64) -> Reading {
        Reading { wall: UnixMillis(1_000_000 + ms), steady: SteadyMillis(ms), boot: BootId([1; 16]) }
    }

    #[test]
    fn pauses_grow_up_to_an_hour() {
        let pauses: Vec<_> = (0..9).map(|failures| pause_ms(failures) / SECOND_MS).collect();
        assert_eq!(pauses, [0, 5, 30, 120, 600, 1800, 3600, 3600, 3600]);
        assert_eq!(pause_ms(u32::MAX), 3_600_000);
    }

    #[test]
    fn a_new_mail_is_due_at_once_and_a_failed_one_later() {
        let new = Progress::default();
        assert_eq!(new.due(&at(0)), Due::Now);
        let failed = new.failed(Failure::Deferred, at(0));
        assert_eq!(failed.due(&at(1)), Due::In(4_999));
        assert_eq!(failed.due(&at(5_000)), Due::Now);
    }

    #[test]
    fn a_step_of_the_clock_makes_no_pause_longer() {
        let failed = Progress::default().failed(Failure::Unavailable, at(0));
        let back = Reading { wall: UnixMillis(1), boot: BootId([2; 16]), ..at(0) };
        assert_eq!(failed.due(&back), Due::Now);
    }

    #[test]
    fn a_refused_mail_waits_longer_and_is_held_in_the_end() {
        let mut progress = Progress::default().failed(Failure::Refused, at(0));
        assert_eq!(progress.due(&at(0)), Due::In(AFTER_REFUSAL_MS));
        for _ in 1..MAX_REFUSALS {
            progress = progress.failed(Failure::Refused, at(0));
        }
        assert_eq!(progress.due(&at(u64::from(u32::MAX))), Due::Held);
        assert_eq!(Progress::default().due(&at(0)), Due::Now, "a new beginning is an operator's way out");
    }
}
