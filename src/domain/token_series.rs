//! Tokens that were sent by e-mail: which are good.
//!
//! Tokens for one purpose (verifying an address of a user in a tenant; resetting a user's password) belong to a *series*:
//! they live together, and when one of them is used or all are revoked, the series ends and every token of it is dead,
//! whether its row is deleted already or not.

use crate::domain::time::UnixMillis;

/// Tells a series from those before and after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct SeriesId(pub u64);

/// What a presented token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// Good: it does what it is for, and the series ends.
    Good,
    /// Too late: the series ends all the same.
    Expired,
    /// Of a series that has ended: nothing happens.
    Dead,
}

/// Judges a token of `series` that is good until `expires`, that moment included.
#[must_use]
pub fn judge(series: SeriesId, expires: UnixMillis, current: Option<SeriesId>, now: UnixMillis) -> Presented {
    match current {
        Some(current) if current == series && is_over(expires, now) => Presented::Expired,
        Some(current) if current == series => Presented::Good,
        _ => Presented::Dead,
    }
}

/// True when a token that is good until `expires` is not good any more.
#[must_use]
pub fn is_over(expires: UnixMillis, now: UnixMillis) -> bool {
    expires < now
}

#[cfg(test)]
mod tests {
    use super::*;

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
