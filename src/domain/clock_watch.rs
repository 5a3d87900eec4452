//! Whether the system's clock is reliable enough for actions that cannot be undone.
//!
//! If a clock is set ahead by mistake and later set back, it will in the meantime have ended sessions that are valid,
//! and deleted keys that tokens in users' hands still need. So the wall clock is compared with one that nobody can set.
//! While both run at the same pace, deletions go on; after a jump in either direction they wait until both have agreed
//! for [`SETTLING_MS`].
//!
//! What a watch knows outlives its process as a [`WatchState`]. A process of the same boot continues where the last one
//! ended: the steady clock kept running, and would reveal a jump. After a reboot only the wall clock shows how long
//! nothing was watched. If that was moments, no time is lost; if it was days at most, the wall clock must agree with
//! the new boot's steady clock for at least [`AFTER_REBOOT_MS`], long enough for a time service to correct it. After a
//! longer gap, and in a folder that has never been watched, a new process starts as if the clock had just jumped.

use super::time::{Reading, SteadyMillis};
use serde::{Deserialize, Serialize};

/// How long both clocks must have agreed, in ms. Also the time between two sweeps, so a wait delays a sweep by one full
/// interval.
pub const SETTLING_MS: u64 = 12 * 3_600_000;

/// How far the clocks may differ within [`SETTLING_MS`] before that counts as a jump, in ms: time services correct
/// clocks in small steps, and whatever would be deleted a few minutes too early has expired for every caller by then.
pub const TOLERANCE_MS: u64 = 5 * 60_000;

/// The least time both clocks must agree after a reboot, in ms.
pub const AFTER_REBOOT_MS: u64 = 3_600_000;

/// After a gap longer than this by the wall clock, a machine starts as if the clock had just jumped; in ms.
pub const MAX_GAP_MS: u64 = 7 * 24 * 3_600_000;

/// The watch. Pass it readings regularly; the more often, the sooner a jump is noticed.
#[derive(Debug, Clone)]
pub struct ClockWatch {
    /// The reading that later ones are compared with.
    anchor: Reading,
    /// The moment since which both clocks have agreed.
    agreeing_since: SteadyMillis,
    /// How long they had agreed before that, in ms.
    agreed_before_ms: u64,
}

/// What a watch knows, for the next process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchState {
    /// The reading that later ones are compared with.
    pub anchor: Reading,
    /// The last reading that was compared.
    pub seen: Reading,
    /// How long both clocks had agreed by then, in ms; at most [`SETTLING_MS`].
    pub agreed_ms: u64,
}

/// What a reading shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Actions that cannot be undone are allowed.
    Settled,
    /// The clocks have not agreed for long enough yet.
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
    /// A watch that starts now and settles as after a jump.
    #[must_use]
    pub const fn new(start: Reading) -> Self {
        Self::after(start, 0)
    }

    /// A watch that trusts the clock until it jumps.
    #[must_use]
    pub const fn trusting(start: Reading) -> Self {
        Self::after(start, SETTLING_MS)
    }

    /// A watch that continues from what an earlier process knew. Its next reading may well reveal a jump.
    #[must_use]
    pub fn resume(known: &WatchState, start: Reading) -> Self {
        let agreed = known.agreed_ms.min(SETTLING_MS);
        if known.anchor.steadily_passed(&start).is_some() && known.seen.steadily_passed(&start).is_some() {
            return Self { anchor: known.anchor, agreeing_since: known.seen.steady, agreed_before_ms: agreed };
        }
        match known.seen.wall.age(start.wall).known() {
            Some(gap) if gap <= TOLERANCE_MS => Self::after(start, agreed),
            Some(gap) if gap <= MAX_GAP_MS => Self::after(start, agreed.min(SETTLING_MS - AFTER_REBOOT_MS)),
            _ => Self::new(start),
        }
    }

    const fn after(start: Reading, agreed_before_ms: u64) -> Self {
        Self { anchor: start, agreeing_since: start.steady, agreed_before_ms }
    }

    /// The state to hand to the next process; `seen` is the reading that was judged last.
    #[must_use]
    pub fn state(&self, seen: Reading) -> WatchState {
        WatchState { anchor: self.anchor, seen, agreed_ms: self.agreed_ms(seen) }
    }

    fn agreed_ms(&self, now: Reading) -> u64 {
        self.agreed_before_ms.saturating_add(self.agreeing_since.age(now.steady).at_least()).min(SETTLING_MS)
    }

    /// Judges a reading.
    pub fn judge(&mut self, reading: Reading) -> Verdict {
        // A process sees one run of the steady clock, unless its virtual machine was reset to an earlier state.
        let Some(passed) = self.anchor.steadily_passed(&reading) else {
            *self = Self::new(reading);
            return Verdict::Settling;
        };
        let expected = self.anchor.wall.plus(passed);
        let by_ms = reading.wall.0.abs_diff(expected.0);
        if by_ms > TOLERANCE_MS {
            *self = Self::new(reading);
            return Verdict::Jumped { by_ms, ahead: reading.wall > expected };
        }
        if passed >= SETTLING_MS {
            // Small differences are forgiven rather than accumulated.
            self.anchor = reading;
        }
        if self.agreed_ms(reading) < SETTLING_MS { Verdict::Settling } else { Verdict::Settled }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::{BootId, UnixMillis};

    const START: u64 = 1_700_000_000_000;
    const MINUTE: u64 = 60_000;
    const HOUR: u64 = 3_600_000;
    const DAY: u64 = 24 * HOUR;

    const fn at(wall: u64, steady: u64) -> Reading {
        in_boot(1, wall, steady)
    }

    const fn in_boot(boot: u8, wall: u64, steady: u64) -> Reading {
        Reading { wall: UnixMillis(wall), steady: SteadyMillis(steady), boot: BootId([boot; 16]) }
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

    /// The state of a watch that began at `START` and has been running for this long.
    fn known_after(passed: u64) -> WatchState {
        let mut watch = ClockWatch::new(at(START, 0));
        let seen = at(START + passed, passed);
        assert!(!matches!(watch.judge(seen), Verdict::Jumped { .. }));
        watch.state(seen)
    }

    #[test]
    fn processes_of_one_boot_settle_together() {
        let mut known = known_after(0);
        for hour in 0..12 {
            let now = hour * HOUR + 30 * MINUTE;
            let mut watch = ClockWatch::resume(&known, at(START + now, now));
            assert_eq!(watch.judge(at(START + now, now)), Verdict::Settling, "{hour}");
            known = watch.state(at(START + now, now));
        }
        let mut watch = ClockWatch::resume(&known, at(START + SETTLING_MS, SETTLING_MS));
        assert_eq!(watch.judge(at(START + SETTLING_MS, SETTLING_MS)), Verdict::Settled);
    }

    #[test]
    fn a_jump_between_two_processes_of_one_boot_is_found() {
        for wall in [START + 30 * DAY, START - DAY] {
            let now = at(wall, SETTLING_MS + HOUR);
            let mut watch = ClockWatch::resume(&known_after(SETTLING_MS), now);
            assert!(matches!(watch.judge(now), Verdict::Jumped { .. }), "{wall}");
            assert_eq!(watch.judge(now), Verdict::Settling);
        }
    }

    /// How long a settled watch still has to settle after a reboot with this gap on the wall clock; a negative gap
    /// means that the clock went back.
    fn settling_after(gap: i64) -> u64 {
        let begin = (START + SETTLING_MS).strict_add_signed(gap);
        let mut watch = ClockWatch::resume(&known_after(SETTLING_MS), in_boot(2, begin, 7));
        (0..=SETTLING_MS)
            .step_by(usize::try_from(MINUTE).unwrap())
            .find(|passed| watch.judge(in_boot(2, begin + passed, 7 + passed)) == Verdict::Settled)
            .expect("settled after the whole time at the latest")
    }

    #[test]
    fn after_a_reboot_it_settles_the_sooner_the_less_can_have_happened() {
        let signed = |ms: u64| i64::try_from(ms).unwrap();
        assert_eq!(settling_after(0), 0);
        assert_eq!(settling_after(signed(TOLERANCE_MS)), 0);
        assert_eq!(settling_after(signed(TOLERANCE_MS + 1)), AFTER_REBOOT_MS);
        assert_eq!(settling_after(signed(MAX_GAP_MS)), AFTER_REBOOT_MS);
        assert_eq!(settling_after(signed(MAX_GAP_MS + 1)), SETTLING_MS);
        assert_eq!(settling_after(-1), SETTLING_MS, "it was set back, or was wrong before");
    }

    #[test]
    fn a_machine_that_is_on_for_eight_hours_a_day_settles_on_the_second() {
        let day_one = known_after(8 * HOUR);
        let morning = START + DAY;
        let mut watch = ClockWatch::resume(&day_one, in_boot(2, morning, 0));
        assert_eq!(watch.judge(in_boot(2, morning + 4 * HOUR - 1, 4 * HOUR - 1)), Verdict::Settling);
        assert_eq!(watch.judge(in_boot(2, morning + 4 * HOUR, 4 * HOUR)), Verdict::Settled);
    }

    #[test]
    fn a_machine_that_is_put_back_to_an_earlier_state_counts_as_rebooted() {
        let mut watch = settled();
        assert_eq!(watch.judge(at(START + SETTLING_MS, SETTLING_MS)), Verdict::Settled);
        let mut resumed = ClockWatch::resume(&watch.state(at(START + DAY, DAY)), at(START + DAY + HOUR, 5));
        assert_eq!(resumed.judge(at(START + DAY + HOUR, 5)), Verdict::Settling);
    }
}
