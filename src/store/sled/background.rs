//! The threads beside the committer: one makes snapshots, one watches the committer.

use super::folder::Folder;
use super::merge::Merge;
use super::queue::Control;
use super::rot::{self, Sorted};
use super::shared::Shared;
use super::snapshot::{self, Head, Writer};
use super::truth::Base;
use super::{Progress, io, journal, reindex};
use crate::store::StoreError;
use crate::store::sled::journal::Frames;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How often the watchdog looks, and how many times in a row it may see the same group: longer than any disk should
/// take. Looks are counted, not seconds, because a machine or container that was paused has no stuck disk.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const STUCK_LOOKS: u32 = 10;
/// After an index was written anew, that takes a rest of so many times as long.
const REINDEX_REST: u32 = 10;
/// Snapshots that are kept: should the newest be damaged, the one before it and a longer journal serve.
const KEPT: usize = 2;

/// Makes snapshots when asked to, and the index anew when it is due, until the engine ends.
pub(super) fn housekeep(shared: &Shared) {
    // A burst of writes, like an import, is waited out: what is written anew in the middle of it is soon out of date.
    let mut may_reindex = Instant::now() + shared.reindex_after;
    loop {
        shared.housekeeping.wait(Duration::from_secs(3600));
        if shared.housekeeping.is_finished() {
            return;
        }
        let _alone = shared.maintain();
        let pace = Pace::new(shared, true);
        let frame = match snapshot_now(shared, &pace) {
            Ok(frame) => frame,
            Err(StoreError::Stopped { .. }) => return,
            Err(error) => {
                // Nothing is lost: the journal stays until a snapshot succeeds.
                tracing::error!(%error, "a snapshot could not be made; the journal keeps growing");
                shared.counters.since_snapshot.store(0, Ordering::Relaxed);
                continue;
            }
        };
        let started = Instant::now();
        if started >= may_reindex {
            match reindex_if_due(shared, frame, &pace, &|_| {}) {
                Ok(()) => {}
                Err(StoreError::Stopped { .. }) => return,
                Err(error) => {
                    tracing::warn!(%error, "the index could not be written anew; the old one stays in use");
                }
            }
        }
        may_reindex = Instant::now() + shared.reindex_after.max(started.elapsed() * REINDEX_REST);
    }
}

/// Gives back the disk space of an index that takes up much more than what is in it, at full speed.
pub(super) fn reclaim(shared: &Shared, progress: &dyn Fn(Progress)) -> Result<(), StoreError> {
    if !reindex::is_due(shared)? {
        return Ok(());
    }
    let _alone = shared.maintain();
    let pace = Pace::new(shared, false);
    // The index may have grown because there is more to keep.
    let frame = snapshot_now(shared, &pace)?;
    reindex_if_due(shared, frame, &pace, progress)
}

/// Writes the index anew from the snapshot of `frame`, the newest, if that is worth it; [`Shared::maintain`] is held.
fn reindex_if_due(shared: &Shared, frame: u64, pace: &Pace<'_>, progress: &dyn Fn(Progress)) -> Result<(), StoreError> {
    if reindex::is_due(shared)? { reindex::run(shared, frame, pace, progress).map(drop) } else { Ok(()) }
}

/// Ends the store when one group takes longer than any disk should.
pub(super) fn watch(shared: &Shared) {
    let mut watch = Watch::default();
    while !shared.watchdog.is_finished() {
        if watch.is_stuck(shared.busy_since()) {
            shared.die("the disk has not answered for 10 seconds");
            return;
        }
        shared.watchdog.wait(LOOK_EVERY);
    }
}

/// What the watchdog has seen.
#[derive(Debug, Default)]
struct Watch {
    group: Option<u64>,
    looks: u32,
}

impl Watch {
    /// Looks once; true when the group at work has been the same for too many looks.
    fn is_stuck(&mut self, group: Option<u64>) -> bool {
        if group.is_none() || group != self.group {
            (self.group, self.looks) = (group, 0);
            return false;
        }
        self.looks += 1;
        self.looks >= STUCK_LOOKS
    }
}

/// Asks the committer to start a new segment; the last frame before it.
pub(super) fn rotate(shared: &Shared) -> Result<u64, StoreError> {
    let (reply, answer) = mpsc::channel();
    shared.queue.control(Control::Rotate(reply))?;
    answer.recv().unwrap_or_else(|_| Err(super::shared::closed()))
}

/// Writes a snapshot of everything so far, checks it, and removes what it makes superfluous. Returns its frame.
///
/// Reads the snapshots that are there first: one that has gone bad on the disk is replaced while journal and index can
/// still say what it held, and no journal is removed in reliance on it.
pub(super) fn take_snapshot(shared: &Shared) -> Result<u64, StoreError> {
    let _alone = shared.maintain();
    snapshot_now(shared, &Pace::new(shared, false))
}

/// As [`take_snapshot`], for whoever holds [`Shared::maintain`].
pub(super) fn snapshot_now(shared: &Shared, pace: &Pace<'_>) -> Result<u64, StoreError> {
    let Sorted { good, bad } = rot::sort(shared, pace)?;
    let last = rotate(shared)?;
    let newest = good.last();
    if newest.is_some_and(|(frame, _)| *frame == last) || last == 0 {
        shared.counters.since_snapshot.store(0, Ordering::Relaxed);
        rot::set_aside(shared, &bad)?;
        return Ok(last);
    }
    let journal_bytes = shared.counters.since_snapshot.swap(0, Ordering::Relaxed);
    shared.counters.segments_since_snapshot.store(0, Ordering::Relaxed);
    // The committer asks with every group until somebody begins; what it asks for after this is another one.
    shared.housekeeping.settle();
    let base_bytes = newest.map_or(0, |(_, path)| path.metadata().map_or(0, |data| data.len()));
    if !shared.has_space_for(base_bytes + journal_bytes) {
        return Err(StoreError::DiskFull { path: shared.folder.root.display().to_string() });
    }
    let started = Instant::now();
    let (mut merge, head) = gather(shared, newest, last, pace)?;
    let made = write_snapshot(&shared.folder, &head, &mut merge, pace)?;
    let bad: Vec<_> = bad.into_iter().filter(|path| *path != made.path).collect();
    rot::set_aside(shared, &bad)?;
    prune(&shared.folder, KEPT)?;
    shared.adapt_snapshot_threshold()?;
    tracing::info!(
        frame = head.frame,
        rows = made.rows,
        milliseconds = io::milliseconds_since(started),
        "snapshot made"
    );
    Ok(head.frame)
}

/// What goes into a snapshot after the `newest` good one, and which frame it will be of: `last`, or a later one.
fn gather(
    shared: &Shared,
    newest: Option<&(u64, PathBuf)>,
    last: u64,
    pace: &dyn Pausing,
) -> Result<(Merge, Head), StoreError> {
    let from = newest.map_or(0, |(frame, _)| *frame);
    let run = closed_segments(&shared.folder, from + 1, last)?;
    if run.segments.first().is_none_or(|(first, _)| *first > from + 1) {
        let (merge, frame) = rot::from_index(shared, last, pace)?;
        // Older moments cannot be restored from it, so the time is when it was made.
        return Ok((merge, Head { id: shared.id, frame, time: shared.clock.now().0 }));
    }
    let mut frames = Frames::new(&run, shared.id, last);
    let base = match newest {
        Some((_, path)) => Some(snapshot::Reader::open(path, Some(&shared.id))?),
        None => None,
    };
    let merge = Merge::new(base, &mut frames, &shared.folder.snapshots().join("scratch"))?;
    Ok((merge, Head { id: shared.id, frame: last, time: frames.time() }))
}

/// Segments with the frames `from` to `last`, which the committer no longer writes.
pub(super) fn closed_segments(folder: &Folder, from: u64, last: u64) -> Result<journal::Coverage, StoreError> {
    let all = journal::segment::list(&folder.journal())?;
    let mut segments = Vec::new();
    for (place, (first, path)) in all.iter().enumerate() {
        let superseded = all.get(place + 1).is_some_and(|(next, _)| *next <= from);
        if *first <= last && !superseded {
            segments.push((*first, path.clone()));
        }
    }
    Ok(journal::Coverage { from, last, segments, torn: None, time: 0 })
}

/// Writes a snapshot under a temporary name, reads it back, and gives it its name.
pub(super) fn write_snapshot(
    folder: &Folder,
    head: &Head,
    merge: &mut Merge,
    pace: &dyn Pausing,
) -> Result<Base, StoreError> {
    let directory = folder.snapshots();
    io::create_directory(&directory)?;
    let path = snapshot::path(&directory, head.frame);
    let temporary = path.with_extension("new");
    io::remove_file(&temporary)?;
    let mut writer = Writer::create(&temporary, head)?;
    let outcome = (|| {
        let mut since = Instant::now();
        while merge.advance()? {
            let entry = merge.entry();
            if entry.value.is_some() && writer.push(&entry)? {
                pace.pause(writer.rows, since.elapsed())?;
                since = Instant::now();
            }
        }
        let rows = writer.rows;
        writer.finish()?;
        since = Instant::now();
        let (_, found) = snapshot::verify_deeply(&temporary, &head.id, &mut |rows| {
            pace.pause(rows, since.elapsed())?;
            since = Instant::now();
            Ok(())
        })?;
        if found != rows {
            let what = format!("{found} entries were read back instead of {rows}");
            return Err(journal::frames::Damage { place: temporary.clone(), what }.error());
        }
        io::rename(&temporary, &path)?;
        Ok(rows)
    })();
    if outcome.is_err() {
        io::remove_file(&temporary)?;
    }
    Ok(Base { path: path.clone(), head: *head, rows: outcome? })
}

/// Removes all but the newest `kept` snapshots, and the segments that only the removed ones needed.
pub(super) fn prune(folder: &Folder, kept: usize) -> Result<(), StoreError> {
    let mut snapshots = snapshot::list(&folder.snapshots())?;
    let surplus = snapshots.len().saturating_sub(kept);
    let removed: Vec<(u64, PathBuf)> = snapshots.drain(..surplus).collect();
    // Until there are as many as should be kept, the whole journal stands in for the missing ones.
    if let Some((oldest, _)) = snapshots.first().filter(|_| snapshots.len() == kept) {
        let segments = journal::segment::list(&folder.journal())?;
        for pair in segments.windows(2) {
            if let [(_, path), (next, _)] = pair
                && *next <= oldest + 1
            {
                io::remove_file(path)?;
            }
        }
        io::sync_directory(&folder.journal())?;
    }
    for (_, path) in &removed {
        io::remove_file(path)?;
    }
    if removed.is_empty() { Ok(()) } else { io::sync_directory(&folder.snapshots()) }
}

/// Somebody who may slow down or stop long work.
pub(super) trait Pausing {
    /// Called after each block, with the rows so far and how long the block took.
    fn pause(&self, rows: u64, took: Duration) -> Result<(), StoreError>;

    /// True while the work is to take no more than a part of one core.
    fn is_gentle(&self) -> bool {
        false
    }
}

/// Leaves most of the machine to the requests.
pub(super) struct Pace<'a> {
    /// Percentage of the time to work.
    duty: u32,
    shared: &'a Shared,
}

impl<'a> Pace<'a> {
    /// Gently: with the percentage that is set for the background.
    pub(super) fn new(shared: &'a Shared, gently: bool) -> Self {
        Self { duty: if gently { shared.snapshot_duty } else { 100 }, shared }
    }
}

impl Pausing for Pace<'_> {
    fn pause(&self, _rows: u64, took: Duration) -> Result<(), StoreError> {
        if self.shared.housekeeping.is_finished() {
            return Err(super::shared::closed());
        }
        if self.is_gentle() {
            // Long blocks are the disk's doing; waiting for them in proportion would never end.
            std::thread::sleep((took * (100 - self.duty) / self.duty).min(Duration::from_millis(50)));
        }
        Ok(())
    }

    fn is_gentle(&self) -> bool {
        self.duty < 100 && !self.shared.is_waited_for()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_group_that_is_seen_ten_seconds_long_is_stuck() {
        let mut watch = Watch::default();
        let stuck: Vec<bool> = (0..=STUCK_LOOKS).map(|_| watch.is_stuck(Some(7))).collect();
        assert_eq!(stuck.iter().filter(|stuck| **stuck).count(), 1);
        assert_eq!(stuck.last(), Some(&true));
    }

    #[test]
    fn a_new_group_or_none_begins_the_wait_anew() {
        let mut watch = Watch::default();
        for look in 0..100 {
            assert!(!watch.is_stuck(Some(look / 10)));
        }
        for look in 0..100 {
            assert!(!watch.is_stuck((look % 10 != 0).then_some(7)));
        }
    }
}
