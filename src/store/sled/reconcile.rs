//! Comparing the index with the truth.

use super::Progress;
use super::batch::Batch;
use super::index::{Index, Stamped};
use super::journal::frames::{COPIED, Damage};
use super::snapshot::SnapshotEntry;
use super::truth::Truth;
use crate::store::StoreError;
use std::cmp::Ordering;

/// The result of a comparison.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Records in the store.
    pub(super) rows: u64,
    /// Rows that were repaired.
    pub(super) repaired: u64,
    /// Repaired rows that should have been correct: the index was damaged.
    pub(super) unexplained: u64,
}

/// One key on which index and truth differ.
#[derive(Debug)]
pub(super) struct Difference<'a> {
    pub(super) key: &'a [u8],
    /// The value according to the truth; `None` if there is no such record.
    pub(super) value: Option<&'a [u8]>,
    /// The frame that wrote it, or the last frame.
    pub(super) frame: u64,
    /// The frame that wrote the index's row, if it has one.
    pub(super) indexed: Option<u64>,
    /// True if the difference is expected, because the index is not complete up to that frame.
    pub(super) explained: bool,
}

const LOST_TAIL: &str = "the index holds writes that the journal has lost";

/// True for the error of an index that is ahead of the journal: then the journal is damaged, not the index.
pub(super) fn is_lost_tail(error: &StoreError) -> bool {
    matches!(error, StoreError::Damaged { what, .. } if what.contains(LOST_TAIL))
}

/// Makes the index agree with the truth. `indexed` is the frame up to which the index claims to be complete.
pub(super) fn reconcile(
    index: &Index,
    truth: &Truth,
    indexed: u64,
    progress: &dyn Fn(Progress),
) -> Result<Outcome, StoreError> {
    let last = truth.last();
    let mut outcome = Outcome::default();
    let mut repairs = Batch::default();
    outcome.rows = walk(index.all(), truth, indexed, progress, &mut |_| {}, &mut |difference| {
        if let Some(frame) = difference.indexed.filter(|frame| *frame > last) {
            let key = difference.key.escape_ascii();
            let what = format!("{LOST_TAIL}: {key} was written by frame {frame}, it ends with {last} {COPIED}");
            return Err(Damage { place: index.path().to_owned(), what }.error());
        }
        outcome.repaired += 1;
        outcome.unexplained += u64::from(!difference.explained);
        let Difference { key, value, frame, .. } = *difference;
        if repairs.add(&SnapshotEntry { key, frame, value }) { repairs.write(index) } else { Ok(()) }
    })?;
    repairs.write(index)?;
    index.set_frame(last)?;
    Ok(outcome)
}

/// Walks index and truth in parallel; returns the number of records.
pub(super) fn walk(
    mut rows: impl Iterator<Item = Result<(Vec<u8>, Stamped), StoreError>>,
    truth: &Truth,
    indexed: u64,
    progress: &dyn Fn(Progress),
    record: &mut dyn FnMut(&SnapshotEntry<'_>),
    differs: &mut dyn FnMut(&Difference<'_>) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let total = truth.base.as_ref().map_or(0, |base| base.rows);
    let mut merge = truth.merge(truth.last())?;
    let mut row: Option<(Vec<u8>, Stamped)> = rows.next().transpose()?;
    let mut more = merge.advance()?;
    let mut records: u64 = 0;
    while more || row.is_some() {
        let order = match &row {
            None => Ordering::Less,
            Some(_) if !more => Ordering::Greater,
            Some((key, _)) => merge.entry().key.cmp(key.as_slice()),
        };
        let stored = row.as_ref().filter(|_| order.is_ge());
        let found = stored.map(|(_, (frame, _))| *frame);
        if order.is_gt() {
            // Not in the truth: removed before the snapshot was made, and the index is older than that.
            let key = stored.map(|(key, _)| key.as_slice()).unwrap_or_default();
            let explained = indexed < truth.base_frame();
            differs(&Difference { key, value: None, frame: truth.last(), indexed: found, explained })?;
        } else {
            let entry = merge.entry();
            let same = stored.map(|(_, (frame, value))| (*frame, value.as_slice()))
                == entry.value.map(|value| (entry.frame, value));
            if !same {
                let (key, value, frame) = (entry.key, entry.value, entry.frame);
                differs(&Difference { key, value, frame, indexed: found, explained: frame > indexed })?;
            }
            if entry.value.is_some() {
                records += 1;
                record(&entry);
            }
        }
        if order.is_le() {
            more = merge.advance()?;
        }
        if order.is_ge() {
            row = rows.next().transpose()?;
        }
        if records.is_multiple_of(4096) {
            progress(Progress { stage: "comparing the index with snapshot and journal", done: records, total });
        }
    }
    Ok(records)
}
