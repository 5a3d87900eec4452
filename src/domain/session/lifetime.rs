//! How long an access token lives.

use crate::domain::time::UnixMillis;

/// When an access token made at `now` stops being accepted.
///
/// Up to the fraction `jitter` of the lifetime is subtracted, so that clients that signed in together do not all
/// refresh at once; `random` is a fresh uniform number (CDI: access token).
#[must_use]
pub fn access_token_expiry(now: UnixMillis, validity_ms: u64, jitter: f64, random: u64) -> UnixMillis {
    // Parts per million keep the arithmetic in integers: jitter is between 0 and 0.25.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1 before the cast")]
    let jitter_ppm = (jitter.clamp(0.0, 1.0) * 1e6) as u128;
    let most = u128::from(validity_ms) * jitter_ppm / 1_000_000;
    let off = (most * u128::from(random)) >> 64;
    now.plus(validity_ms.saturating_sub(u64::try_from(off).unwrap_or(validity_ms)))
}

/// Whether a lifetime requested by the caller is above 0 and at most the configured one (CDI ≥ 5.6:
/// `accessTokenValidity`).
#[must_use]
pub const fn override_is_valid(requested_ms: u64, configured_ms: u64) -> bool {
    requested_ms > 0 && requested_ms <= configured_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000);

    #[test]
    fn jitter_shortens_by_up_to_its_fraction() {
        assert_eq!(access_token_expiry(NOW, 3_600_000, 0.05, 0), NOW.plus(3_600_000));
        assert_eq!(access_token_expiry(NOW, 3_600_000, 0.05, u64::MAX / 2), NOW.plus(3_600_000 - 89_999));
        let shortest = access_token_expiry(NOW, 3_600_000, 0.05, u64::MAX);
        assert!(shortest >= NOW.plus(3_600_000 - 180_000) && shortest < NOW.plus(3_600_000 - 179_990));
    }

    #[test]
    fn zero_jitter_takes_nothing_off() {
        assert_eq!(access_token_expiry(NOW, 1000, 0.0, u64::MAX), NOW.plus(1000));
    }

    #[test]
    fn jitter_is_uniform() {
        let step = u64::MAX / 1000;
        let mean =
            (0..1000).map(|i| NOW.until(access_token_expiry(NOW, 1_000_000, 0.25, i * step))).sum::<u64>() / 1000;
        assert!((874_000..=876_000).contains(&mean), "{mean}");
    }

    #[test]
    fn an_own_lifetime_is_positive_and_at_most_the_configured_one() {
        assert!(!override_is_valid(0, 10) && override_is_valid(1, 10) && override_is_valid(10, 10));
        assert!(!override_is_valid(11, 10));
    }
}
