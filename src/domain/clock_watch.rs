//! Whether the system's clock can be relied on for what cannot be undone.
//!
//! A clock that is set ahead by mistake and back again would meanwhile have ended sessions that are good, and deleted
//! keys that tokens in users' hands still need. So the wall clock is watched beside one that nobody can set. While both
//! go at the same pace deletions go on; after a jump of either direction they wait until both have agreed for
//! [`SETTLING_MS`]. A process begins as after a jump: it cannot know what happened before.

use super::time::Reading;

/// How long both clocks must have agreed, in ms. Also the time between two sweeps, so that waiting costs a whole sweep.
pub const SETTLING_MS: u64 = 12 * 3_600_000;

/// How far both may differ within [`SETTLING_MS`] without being called a jump, in ms: time services correct clocks in
/// small steps, and what would be deleted minutes too early is over for every caller by then.
pub const TOLERANCE_MS: u64 = 5 * 60_000;

/// The watch. Feed it readings now and then; the more often, the sooner a jump is noticed.
#[derive(Debug, Clone)]
pub struct ClockWatch {
    /// What readings are compared with.
    anchor: Reading,
    /// The reading since which both clocks agree; `None` when they are believed without proof.
    agreed_since: Option<Reading>,
}

/// What a reading says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// What cannot be undone may be done.
    Settled,
    /// Both clocks have not agreed for long enough yet.
    Settling,
    /// The wall clock has jumped since the last reading.
    Jumped {
        /// How far, in ms.
        by_ms: u64,
        /// Into the future (else into the past).
        ahead: bool,
    },
}

impl ClockWatch {
    /// A watch that begins now and settles like after a jump.
    #[must_use]
    pub const fn new(start: Reading) -> Self {
        Self { anchor: start, agreed_since: Some(start) }
    }

    /// A watch that believes the clock until it jumps.
    #[must_use]
    pub const fn trusting(start: Reading) -> Self {
        Self { anchor: start, agreed_since: None }
    }

    /// Takes a reading.
    pub fn judge(&mut self, reading: Reading) -> Verdict {
        let passed = reading.steady.since(self.anchor.steady);
        let expected = self.anchor.wall.plus(passed);
        let by_ms = reading.wall.0.abs_diff(expected.0);
        if by_ms > TOLERANCE_MS {
            *self = Self::new(reading);
            return Verdict::Jumped { by_ms, ahead: reading.wall > expected };
        }
        if passed >= SETTLING_MS {
            // Small differences are forgiven, not added up for ever.
            self.anchor = reading;
        }
        match self.agreed_since {
            Some(since) if reading.steady.since(since.steady) < SETTLING_MS => Verdict::Settling,
            _ => Verdict::Settled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::{SteadyMillis, UnixMillis};

    const START: u64 = 1_700_000_000_000;
    const HOUR: u64 = 3_600_000;

    fn at(wall: u64, steady: u64) -> Reading {
        Reading { wall: UnixMillis(wall), steady: SteadyMillis(steady) }
    }

    fn settled() -> ClockWatch {
        let mut watch = ClockWatch::new(at(START, 0));
        assert_eq!(watch.judge(at(START + SETTLING_MS, SETTLING_MS)), Verdict::Settled);
        watch
    }

    #[test]
    fn it_settles_after_a_whole_interval() {
        let mut watch = ClockWatch::new(at(START, 7));
        assert_eq!(watch.judge(at(START, 7)), Verdict::Settling);
        assert_eq!(watch.judge(at(START + SETTLING_MS - 1, SETTLING_MS + 6)), Verdict::Settling);
        assert_eq!(watch.judge(at(START + SETTLING_MS, SETTLING_MS + 7)), Verdict::Settled);
        assert_eq!(ClockWatch::trusting(at(START, 7)).judge(at(START, 7)), Verdict::Settled);
    }

    #[test]
    fn a_jump_is_reported_once_and_waited_out() {
        for (wall, ahead) in [(START + SETTLING_MS + 48 * HOUR, true), (START - 36 * HOUR, false)] {
            let mut watch = settled();
            let now = SETTLING_MS + HOUR;
            assert_eq!(watch.judge(at(START + now, now)), Verdict::Settled);
            let by_ms = wall.abs_diff(START + now);
            assert_eq!(watch.judge(at(wall, now)), Verdict::Jumped { by_ms, ahead });
            assert_eq!(watch.judge(at(wall + HOUR, now + HOUR)), Verdict::Settling);
            assert_eq!(watch.judge(at(wall + SETTLING_MS - 1, now + SETTLING_MS - 1)), Verdict::Settling);
            assert_eq!(watch.judge(at(wall + SETTLING_MS, now + SETTLING_MS)), Verdict::Settled);
        }
    }

    #[test]
    fn a_jump_and_its_correction_are_two_jumps() {
        let mut watch = settled();
        let now = SETTLING_MS;
        assert!(matches!(watch.judge(at(START + now + 9 * HOUR, now)), Verdict::Jumped { ahead: true, .. }));
        let later = now + SETTLING_MS - 1;
        assert!(matches!(watch.judge(at(START + later, later)), Verdict::Jumped { ahead: false, .. }));
        assert_eq!(watch.judge(at(START + later + 1, later + 1)), Verdict::Settling);
    }

    #[test]
    fn small_steps_are_forgiven_but_not_many_within_an_interval() {
        let mut watch = settled();
        let (mut wall, mut steady) = (START + SETTLING_MS, SETTLING_MS);
        for _ in 0..100 {
            wall += SETTLING_MS + TOLERANCE_MS;
            steady += SETTLING_MS;
            assert_eq!(watch.judge(at(wall, steady)), Verdict::Settled, "one step an interval");
        }
        assert_eq!(watch.judge(at(wall + TOLERANCE_MS, steady)), Verdict::Settled);
        assert!(matches!(watch.judge(at(wall + TOLERANCE_MS + 1, steady)), Verdict::Jumped { .. }));
    }
}
