//! Which of the tokens sent by e-mail are valid.
//!
//! Tokens for one purpose (verifying an address of a user in a tenant; resetting a user's password) belong to a
//! *series*. They live together: when one of them is used, or all are revoked, the series ends and every token in it is
//! dead, even if its row is not deleted yet. Only the newest [`MAX_VALID`] tokens of a series live: anyone who
//! requests another mail gets one that works, but cannot pile up more rows than the deletion of the user can take in
//! one transaction.

use crate::domain::one_time_token::OneTimeHash;
use crate::domain::time::UnixMillis;

/// Identifies a series among those before and after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct SeriesId(pub u64);

/// Maximum number of living tokens of a series; with one more, the oldest is dead.
pub const MAX_VALID: usize = 100;

/// The tokens that live together.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Series {
    /// Its id.
    pub id: SeriesId,
    /// When its last token expires.
    pub expires: UnixMillis,
    /// The tokens, oldest first: at most [`MAX_VALID`]. Some may have expired.
    pub tokens: Vec<OneTimeHash>,
}

impl Series {
    /// A series without tokens.
    #[must_use]
    pub const fn new(id: SeriesId) -> Self {
        Self { id, expires: UnixMillis(0), tokens: Vec::new() }
    }

    /// Adds a token that is valid until `expires`; returns the one that was dropped to make room.
    #[must_use]
    pub fn add(&mut self, token: OneTimeHash, expires: UnixMillis) -> Option<OneTimeHash> {
        self.expires = self.expires.max(expires);
        self.tokens.push(token);
        (self.tokens.len() > MAX_VALID).then(|| self.tokens.remove(0))
    }
}

impl Series {
    /// Removes a token.
    pub fn remove(&mut self, token: &OneTimeHash) {
        self.tokens.retain(|other| other != token);
    }
}

/// The verdict on a presented token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// Valid: it takes effect, and the series ends.
    Good,
    /// Expired: the series ends all the same.
    Expired,
    /// Its series has ended: nothing happens.
    Dead,
}

/// Judges a token of `series` that is valid until `expires`, inclusive.
#[must_use]
pub fn judge(series: SeriesId, expires: UnixMillis, current: Option<SeriesId>, now: UnixMillis) -> Presented {
    match current {
        Some(current) if current == series && is_expired(expires, now) => Presented::Expired,
        Some(current) if current == series => Presented::Good,
        _ => Presented::Dead,
    }
}

/// True when a token that is valid until `expires` is no longer valid.
#[must_use]
pub fn is_expired(expires: UnixMillis, now: UnixMillis) -> bool {
    expires < now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_token_too_many_takes_the_oldest_away() {
        let hash = |number: usize| OneTimeHash::of(&number.to_string());
        let mut series = Series::new(SeriesId(1));
        for number in 0..MAX_VALID {
            assert_eq!(series.add(hash(number), UnixMillis(100)), None);
        }
        assert_eq!(series.add(hash(MAX_VALID), UnixMillis(50)), Some(hash(0)));
        assert_eq!(series.add(hash(MAX_VALID + 1), UnixMillis(200)), Some(hash(1)));
        assert_eq!(series.expires, UnixMillis(200));
        assert_eq!((series.tokens.len(), series.tokens.last()), (MAX_VALID, Some(&hash(MAX_VALID + 1))));
    }

    #[test]
    fn a_token_is_good_until_its_end_and_while_its_series_lasts() {
        let (own, other) = (SeriesId(1), SeriesId(2));
        let at = |current, now| judge(own, UnixMillis(100), current, UnixMillis(now));
        assert_eq!(at(Some(own), 100), Presented::Good);
        assert_eq!(at(Some(own), 101), Presented::Expired);
        for now in [100, 101] {
            assert_eq!(at(Some(other), now), Presented::Dead);
            assert_eq!(at(None, now), Presented::Dead);
        }
    }
}
