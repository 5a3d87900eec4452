//! The background threads other than the committer: one makes snapshots, one watches the committer.

use super::folder::Folder;
use super::merge::Merge;
use super::queue::Control;
use super::rot::{self, Sorted};
use super::shared::SledShared;
use super::snapshot::{self, SnapshotHeader, SnapshotWriter};
use super::truth::Base;
use super::{Progress, io, journal, reindex};
use crate::store::StoreError;
use crate::store::sled::journal::Frames;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How often the watchdog checks, and how many times in a row it may see the same group: longer than any disk should
/// take. Checks are counted rather than seconds, because a paused machine or container does not have a stuck disk.
const CHECK_EVERY: Duration = Duration::from_secs(1);
const STUCK_CHECKS: u32 = 10;
/// After the index has been rebuilt, the next rebuild waits this many times as long as that one took.
const REINDEX_REST: u32 = 10;
/// Snapshots to keep: if the newest is damaged, the one before it and a longer journal take its place.
const KEPT: usize = 2;

/// Makes snapshots on request, and rebuilds the index when that is due, until the engine ends.
pub(super) fn housekeep(shared: &SledShared) {
    // Wait out a burst of writes such as an import: an index rebuilt in the middle of it is soon out of date.
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
                // Nothing is lost: the journal is kept until a snapshot succeeds.
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
                    tracing::warn!(%error, "the index could not be rebuilt; the old one stays in use");
                }
            }
        }
        may_reindex = Instant::now() + shared.reindex_after.max(started.elapsed() * REINDEX_REST);
    }
}

/// Reclaims, at full speed, the disk space of an index that takes up much more than its content.
pub(super) fn reclaim(shared: &SledShared, progress: &dyn Fn(Progress)) -> Result<(), StoreError> {
    if !reindex::is_due(shared)? {
        return Ok(());
    }
    let _alone = shared.maintain();
    let pace = Pace::new(shared, false);
    // The index may have grown because there is more data in it.
    let frame = snapshot_now(shared, &pace)?;
    reindex_if_due(shared, frame, &pace, progress)
}

/// Rebuilds the index from the newest snapshot, that of `frame`, if that is worth it; the caller holds
/// [`SledShared::maintain`].
fn reindex_if_due(
    shared: &SledShared,
    frame: u64,
    pace: &Pace<'_>,
    progress: &dyn Fn(Progress),
) -> Result<(), StoreError> {
    if reindex::is_due(shared)? { reindex::run(shared, frame, pace, progress).map(drop) } else { Ok(()) }
}

/// Ends the store when one group takes longer than any disk should.
pub(super) fn watch(shared: &SledShared) {
    let mut watch = Watch::default();
    while !shared.watchdog.is_finished() {
        if watch.is_stuck(shared.busy_since()) {
            shared.fail("the disk has not answered for 10 seconds");
            return;
        }
        shared.watchdog.wait(CHECK_EVERY);
    }
}

/// What the watchdog has seen so far.
#[derive(Debug, Default)]
struct Watch {
    group: Option<u64>,
    checks: u32,
}

impl Watch {
    /// Checks once; true if the committer has been at the same group for too many checks.
    fn is_stuck(&mut self, group: Option<u64>) -> bool {
        if group.is_none() || group != self.group {
            (self.group, self.checks) = (group, 0);
            return false;
        }
        self.checks += 1;
        self.checks >= STUCK_CHECKS
    }
}

/// Makes the committer start a new segment; returns the last frame before it.
pub(super) fn rotate(shared: &SledShared) -> Result<u64, StoreError> {
    let (reply, answer) = mpsc::channel();
    shared.queue.control(Control::Rotate(reply))?;
    answer.recv().unwrap_or_else(|_| Err(super::shared::closed()))
}

/// Writes a snapshot of everything so far, verifies it, and removes what it makes superfluous. Returns its frame.
///
/// Reads the existing snapshots first: one that has gone bad on disk is replaced while journal and index can still
/// supply its content, and no journal is removed in reliance on it.
pub(super) fn take_snapshot(shared: &SledShared) -> Result<u64, StoreError> {
    let _alone = shared.maintain();
    snapshot_now(shared, &Pace::new(shared, false))
}

/// Like [`take_snapshot`], for a caller that holds [`SledShared::maintain`].
pub(super) fn snapshot_now(shared: &SledShared, pace: &Pace<'_>) -> Result<u64, StoreError> {
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
    // The committer raises the signal with every group until a snapshot begins; a signal raised after this one is for
    // another snapshot.
    shared.housekeeping.clear();
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

/// Returns what goes into a snapshot after the `newest` good one, and the frame it will be of: `last`, or a later one.
fn gather(
    shared: &SledShared,
    newest: Option<&(u64, PathBuf)>,
    last: u64,
    pace: &dyn Pausing,
) -> Result<(Merge, SnapshotHeader), StoreError> {
    let from = newest.map_or(0, |(frame, _)| *frame);
    let run = closed_segments(&shared.folder, from + 1, last)?;
    if run.segments.first().is_none_or(|(first, _)| *first > from + 1) {
        let (merge, frame) = rot::from_index(shared, last, pace)?;
        // Older moments cannot be restored from it, so its time is the time it was made.
        return Ok((merge, SnapshotHeader { id: shared.id, frame, time: shared.clock.now().0 }));
    }
    let mut frames = Frames::new(&run, shared.id, last);
    let base = match newest {
        Some((_, path)) => Some(snapshot::SnapshotReader::open(path, Some(&shared.id))?),
        None => None,
    };
    let merge = Merge::new(base, &mut frames, &shared.folder.snapshots().join("scratch"))?;
    Ok((merge, SnapshotHeader { id: shared.id, frame: last, time: frames.time() }))
}

/// The segments with the frames `from` to `last`, which the committer no longer writes to.
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

/// Writes a snapshot under a temporary name, verifies it, and renames it.
pub(super) fn write_snapshot(
    folder: &Folder,
    head: &SnapshotHeader,
    merge: &mut Merge,
    pace: &dyn Pausing,
) -> Result<Base, StoreError> {
    let directory = folder.snapshots();
    io::create_directory(&directory)?;
    let path = snapshot::path(&directory, head.frame);
    let temporary = path.with_extension("new");
    io::remove_file(&temporary)?;
    let mut writer = SnapshotWriter::create(&temporary, head)?;
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

/// Removes all but the newest `kept` snapshots, and the segments that only the removed snapshots needed.
pub(super) fn prune(folder: &Folder, kept: usize) -> Result<(), StoreError> {
    let mut snapshots = snapshot::list(&folder.snapshots())?;
    let surplus = snapshots.len().saturating_sub(kept);
    let removed: Vec<(u64, PathBuf)> = snapshots.drain(..surplus).collect();
    // Until there are `kept` snapshots, the whole journal stands in for the missing ones.
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

/// Can slow down or stop long-running work.
pub(super) trait Pausing {
    /// Called after each block with the number of rows so far and how long the block took.
    fn pause(&self, rows: u64, took: Duration) -> Result<(), StoreError>;

    /// True if the work should use only a part of one core.
    fn is_gentle(&self) -> bool {
        false
    }
}

/// Throttles background work to leave most of the machine to requests.
pub(super) struct Pace<'a> {
    /// Percentage of the time spent working.
    duty: u32,
    shared: &'a SledShared,
}

impl<'a> Pace<'a> {
    /// Creates a pace; with `gently`, it uses the percentage configured for background work.
    pub(super) fn new(shared: &'a SledShared, gently: bool) -> Self {
        Self { duty: if gently { shared.snapshot_duty } else { 100 }, shared }
    }
}

impl Pausing for Pace<'_> {
    fn pause(&self, _rows: u64, took: Duration) -> Result<(), StoreError> {
        if self.shared.housekeeping.is_finished() {
            return Err(super::shared::closed());
        }
        if self.is_gentle() {
            // Long blocks are the disk's doing; sleeping in proportion to them would never end.
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
        let stuck: Vec<bool> = (0..=STUCK_CHECKS).map(|_| watch.is_stuck(Some(7))).collect();
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
