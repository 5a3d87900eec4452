//! Determines which frame a moment corresponds to.
//!
//! Frames are ordered by number. Their times are those shown by the clock, and a clock may be set back: then later
//! frames carry earlier times. A moment corresponds to the last frame written at or before it; all frames before that
//! one are included, whatever times they carry. Where this leaves doubt, the report names the frames.

use super::journal::Frames;
use super::journal::frames::Scanned;
use super::truth::Truth;
use crate::domain::time::UnixMillis;
use crate::store::StoreError;
use crate::store::maintenance::Until;
use std::path::Path;

/// This many frames with the same time are no coincidence: each one waits for the disk.
const MANY_AT_ONCE: u64 = 4;

/// The point at which a restore ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Point {
    /// The last frame that is included.
    pub(super) frame: u64,
    /// The time it was written, in ms since 1970.
    pub(super) time: u64,
    /// Notes for the operator.
    pub(super) notes: Vec<String>,
}

/// The times of a journal's frames, as far as they matter for one point.
#[derive(Debug)]
pub(super) struct FrameTimes {
    until: Until,
    runs: Vec<Run>,
}

/// Consecutive frames of one segment whose times do not decrease and are either all in time or all too late.
#[derive(Debug, Clone, Copy)]
struct Run {
    first: u64,
    last: u64,
    start: u64,
    end: u64,
    /// First frame of the segment.
    segment: u64,
    /// True if the frames carry the time of the frame before them; an earlier release may have copied it because the
    /// clock had been set back.
    repeated: bool,
}

impl FrameTimes {
    pub(super) const fn new(until: Until) -> Self {
        Self { until, runs: Vec::new() }
    }

    /// True if a frame is to be included according to its own number or time.
    pub(super) fn is_in_time(&self, frame: u64, time: u64) -> bool {
        match self.until {
            Until::End => true,
            Until::Time(limit) => time <= limit.0,
            Until::Frame(limit) => frame <= limit,
        }
    }

    /// Adds a frame; frames must be added in order.
    pub(super) fn add(&mut self, segment: &Scanned, number: u64, time: u64) {
        let is_wall = segment.timing.is_none_or(|timing| timing.is_wall);
        let is_in_time = self.is_in_time(number, time);
        let repeated = !is_wall && self.runs.last().is_some_and(|run| run.end == time);
        let same_kind = |run: &Run| self.is_in_time(run.last, run.end) == is_in_time && run.repeated == repeated;
        let goes_on = |run: &Run| run.segment == segment.first && run.last + 1 == number && run.end <= time;
        if self.runs.last().is_some_and(|run| goes_on(run) && same_kind(run)) {
            if let Some(run) = self.runs.last_mut() {
                (run.last, run.end) = (number, time);
            }
            return;
        }
        let segment = segment.first;
        self.runs.push(Run { first: number, last: number, start: time, end: time, segment, repeated });
    }

    /// The last frame in time, and its time.
    fn last(&self) -> Option<(u64, u64)> {
        let run = self.runs.iter().rev().find(|run| self.is_in_time(run.last, run.end))?;
        Some((run.last, run.end))
    }

    /// Runs after `point`.
    fn after(&self, point: &Point) -> impl DoubleEndedIterator<Item = &Run> {
        let frame = point.frame;
        self.runs.iter().filter(move |run| run.last > frame)
    }

    /// The runs right after `point` that carry later times than something that followed them, which means that the
    /// clock was ahead. What followed is a frame, or the start of one of `segments`.
    fn ahead(&self, point: &Point, segments: &[Scanned]) -> Vec<Run> {
        let mut lowest = u64::MAX;
        let mut judged = Vec::new();
        for run in self.after(point).rev() {
            let begins_later =
                |segment: &Scanned| segment.first > run.last || (run.repeated && segment.first == run.segment);
            let starts = segments.iter().filter(|segment| begins_later(segment)).filter_map(|segment| segment.timing);
            // A start before the point comes from a clock that had not been set yet; it is no evidence about these
            // runs.
            let starts = starts.map(|timing| timing.created).filter(|created| *created >= point.time);
            judged.push((*run, run.start > lowest.min(starts.min().unwrap_or(u64::MAX))));
            lowest = lowest.min(run.start);
        }
        judged.into_iter().rev().take_while(|(_, is_ahead)| *is_ahead).map(|(run, _)| run).collect()
    }

    /// Moves `point` forward to the start of a segment that was started in time, if the frames before it carry wrong
    /// times.
    fn move_on(&self, point: &mut Point, limit: u64, segments: &[Scanned]) {
        let Some(last) = self.ahead(point, &[]).last().map(|run| run.last) else { return };
        let started = |segment: &Scanned| Some((segment.first.checked_sub(1)?, segment.timing?.created));
        let may_follow = |(frame, created): &(u64, u64)| {
            (point.frame + 1..=last).contains(frame) && (point.time..=limit).contains(created)
        };
        if let Some((frame, created)) = segments.iter().filter_map(started).filter(may_follow).max() {
            (point.frame, point.time) = (frame, created);
        }
    }

    /// Adds notes about the frames whose times are in doubt.
    ///
    /// The error says that the point cannot be determined.
    fn judge(&self, point: &mut Point, base: Option<(u64, u64)>, segments: &[Scanned]) -> Result<(), String> {
        let Until::Time(UnixMillis(limit)) = self.until else { return Ok(()) };
        self.move_on(point, limit, segments);
        let taken = self.runs.iter().filter(|run| run.last <= point.frame).map(|run| (run.first, run.last, run.end));
        // A snapshot's own time counts if the journal no longer holds its last frame.
        let is_held = |frame: u64| self.runs.iter().any(|run| (run.first..=run.last).contains(&frame));
        let base = base.filter(|(frame, _)| !is_held(*frame)).map(|(frame, time)| (frame, frame, time));
        let taken = base.into_iter().chain(taken);
        let late: Vec<_> = taken.filter(|(.., end)| *end > limit).collect();
        if let (Some(first), Some(last)) = (late.iter().map(|run| run.0).min(), late.iter().map(|run| run.1).max()) {
            let latest = late.iter().map(|run| run.2).max().map(UnixMillis).unwrap_or_default();
            let (frame, time) = (point.frame, UnixMillis(point.time));
            point.notes.push(format!(
                "the clock was set back after frame {last}: {} included although the times go up to {latest}, because \
                 frame {frame}, which followed, was already there at {time}{}",
                frames(first, last),
                if first > 1 { format!("; --until-frame {} leaves them out", first - 1) } else { String::new() },
            ));
        }
        let ahead = self.ahead(point, segments);
        if let (Some(first), Some(last)) = (ahead.first(), ahead.last()) {
            let (first, before) = (first.first.max(point.frame + 1), point.frame);
            let last = last.last;
            if ahead.iter().any(|run| run.repeated) {
                return Err(format!(
                    "it is not known which of the frames {first} to {last} were written before that moment: the clock \
                     had been set back, and the release that wrote them recorded no earlier times. Choose with \
                     --until-frame: {before} leaves all of them out, {last} takes all"
                ));
            }
            let start = ahead.iter().map(|run| run.start).min().map(UnixMillis).unwrap_or_default();
            point.notes.push(format!(
                "the clock was set back after frame {last}: {} left out, because the times begin with {start}, but may \
                 have been written before that moment; --until-frame {last} includes them",
                frames(first, last)
            ));
        } else if let Some((first, last, time)) = self.suspect(point) {
            point.notes.push(format!(
                "{} left out, with the time {}; if the clock had been set back before, they may have been written \
                 before that moment, because the release that wrote them recorded no earlier times; --until-frame \
                 {last} includes them",
                frames(first, last),
                UnixMillis(time)
            ));
        }
        Ok(())
    }

    /// The first frames after `point` whose common time may have been copied from the frame before them.
    fn suspect(&self, point: &Point) -> Option<(u64, u64, u64)> {
        let mut before = None;
        for run in self.after(point) {
            let follows = |before: &Run| before.first == before.last && before.last == point.frame + 1;
            let jumped = before.is_none_or(follows);
            if run.repeated && (jumped || run.last - run.first + 1 >= MANY_AT_ONCE) {
                return Some((run.first.max(point.frame + 1), run.last, run.end));
            }
            before = Some(run);
        }
        None
    }
}

/// "frame 8 is", "frames 8 to 9 are".
fn frames(first: u64, last: u64) -> String {
    if first == last { format!("frame {first} is") } else { format!("frames {first} to {last} are") }
}

/// Of the ways in which the folder can be read (the newest snapshot first, the whole journal last), chooses the one
/// that reaches the point. `acknowledged` is the last frame that is known to have existed.
pub(super) fn choose(
    candidates: Vec<Truth>,
    times: &FrameTimes,
    acknowledged: u64,
    place: &Path,
) -> Result<(Truth, Point), StoreError> {
    let unusable = |what: String| StoreError::Unusable { place: place.display().to_string(), what };
    let bases = || candidates.iter().filter_map(|truth| truth.base.as_ref());
    let heads = || bases().map(|base| (base.head.frame, base.head.time));
    let ends = candidates.iter().flat_map(|truth| &truth.scanned).map(|segment| segment.next.saturating_sub(1));
    let known = ends.chain(heads().map(|(frame, _)| frame)).fold(acknowledged, u64::max);
    let in_time = heads().filter(|(frame, time)| times.is_in_time(*frame, *time));
    let wanted = times.last().into_iter().chain(in_time).max();
    let Some(lowest) = candidates.last().map(|truth| truth.base_frame().max(1)) else {
        return Err(unusable(if known == 0 {
            "nothing has been written to it".to_owned()
        } else {
            "no snapshot is intact, and the journal does not go back to the first frame".to_owned()
        }));
    };
    let Some((frame, time)) = wanted.filter(|(frame, _)| *frame >= lowest) else {
        let (frame, time) = candidates.last().map_or(Ok((0, 0)), first_reachable)?;
        return Err(unusable(format!(
            "it does not go back to that point; the first moment that can be reached is {} (frame {frame})",
            UnixMillis(time)
        )));
    };
    let reaches = |truth: &Truth| (truth.base_frame()..=truth.last()).contains(&frame);
    let readable = candidates.iter().map(Truth::last).filter(|last| *last < known).max();
    let Some(truth) = candidates.into_iter().find(reaches) else {
        let readable = readable.unwrap_or_default();
        return Err(unusable(format!(
            "frame {frame} was written before that point, but what comes before it is damaged; \
             --until-frame {readable} restores what is readable"
        )));
    };
    let mut point = Point { frame, time, notes: Vec::new() };
    let base = truth.base.as_ref().map(|base| (base.head.frame, base.head.time));
    times.judge(&mut point, base, &truth.scanned).map_err(unusable)?;
    let last = truth.last();
    if last < known {
        let is_asked_for = matches!(times.until, Until::Frame(limit) if limit <= last);
        if point.frame == last && !is_asked_for {
            return Err(unusable(format!(
                "what followed frame {last} is damaged, and may have been written before that point; \
                 --until-frame {last} restores what is readable"
            )));
        }
        point.notes.push(format!("what followed frame {last} is damaged, and is left out"));
    }
    Ok((truth, point))
}

/// The frame with the earliest time that `truth` reaches, and that time.
fn first_reachable(truth: &Truth) -> Result<(u64, u64), StoreError> {
    let mut first = truth.base.as_ref().map(|base| (base.head.time, base.head.frame));
    let mut frames = Frames::new(&truth.frames, truth.id(), truth.last());
    let mut body = Vec::new();
    while let Some((number, time)) = frames.next(&mut body)? {
        first = Some(first.map_or((time, number), |first| first.min((time, number))));
    }
    Ok(first.map_or((0, 0), |(time, frame)| (frame, time)))
}
