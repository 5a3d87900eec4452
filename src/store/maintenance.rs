//! Maintenance of a store on disk, and its reports.
//!
//! Reports can be printed or serialised. Operations on a folder that no server uses are in [`super::data_folder`].

use super::{Key, Progress, StoreError};
use crate::domain::time::UnixMillis;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Called from time to time during long work.
pub type ProgressFn<'a> = &'a dyn Fn(Progress);
/// Tells which records are derived from others, so that the next start recreates them.
pub type IsDerived<'a> = &'a dyn Fn(&Key) -> bool;

/// Maintenance of an open store while it is in use. All operations block: call them from threads that may block.
pub trait Maintain: Send + Sync {
    /// Copies everything up to now into a new folder `to`.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] if `to` is not empty; [`StoreError::Damaged`] if the copy fails verification.
    fn backup(&self, to: &Path, progress: ProgressFn<'_>) -> Result<BackupReport, StoreError>;

    /// Reads all data and reports what is wrong.
    ///
    /// # Errors
    /// When a system call fails. Damage is not an error but a finding.
    fn check(&self, audit: &mut dyn Audit, progress: ProgressFn<'_>) -> Result<CheckReport, StoreError>;

    /// Reclaims the disk space of replaced and removed records. A kill at any moment loses nothing.
    ///
    /// # Errors
    /// [`StoreError`] if a system call fails, there is too little space, or the store is closed.
    fn compact(&self, progress: ProgressFn<'_>) -> Result<CompactReport, StoreError>;
}

/// Examines every record in key order, to find what no checksum can, such as an index entry without its record.
pub trait Audit {
    /// Called with each record; `value` has passed its checksum.
    fn record(&mut self, key: &Key, value: &[u8]);

    /// Called after the last record; returns the findings.
    fn finish(&mut self) -> Vec<Finding>;
}

/// An audit that examines nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAudit;

impl Audit for NoAudit {
    fn record(&mut self, _key: &Key, _value: &[u8]) {}

    fn finish(&mut self) -> Vec<Finding> {
        Vec::new()
    }
}

/// A defect found by a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file or record concerned.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

/// The extent and the findings of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// True if the folder was stopped cleanly (or is being served).
    pub clean: bool,
    /// True if the folder is a backup: it never had an index or a clean stop.
    pub backup: bool,
    /// True if the folder is not writable for this process.
    pub read_only: bool,
    /// The last frame.
    pub frame: u64,
    /// Total number of records.
    pub records: u64,
    /// Records by kind.
    pub by_kind: BTreeMap<&'static str, u64>,
    /// Snapshots read.
    pub snapshots: u64,
    /// Journal segments read.
    pub segments: u64,
    /// Frames not yet in a snapshot.
    pub frames: u64,
    /// Index rows that are merely out of date; the next start updates them.
    pub behind: u64,
    /// The first hundred findings.
    pub findings: Vec<Finding>,
    /// Total number of findings.
    pub found: u64,
    /// Remarks that are not damage.
    pub notes: Vec<String>,
}

impl CheckReport {
    /// True if nothing was found.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.found == 0
    }
}

/// The content of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackupReport {
    /// The last frame in the backup.
    pub frame: u64,
    /// Time of that frame, in milliseconds since 1970.
    pub time: u64,
    /// Files copied.
    pub files: u64,
    /// Bytes copied.
    pub bytes: u64,
    /// Duration in milliseconds.
    pub milliseconds: u64,
}

/// The effect of a compaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompactReport {
    /// Bytes on disk before.
    pub before: u64,
    /// Bytes on disk after.
    pub after: u64,
    /// Records kept.
    pub records: u64,
    /// Duration in milliseconds.
    pub milliseconds: u64,
}

/// The point up to which to restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Everything.
    End,
    /// Everything up to the last frame committed at or before this moment, according to the clock at that time.
    Time(UnixMillis),
    /// Everything up to this frame.
    Frame(u64),
}

/// The result of a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestoreReport {
    /// The last frame restored.
    pub frame: u64,
    /// Time of that frame, in milliseconds since 1970; 0 if it is not known.
    pub time: u64,
    /// Records restored.
    pub records: u64,
    /// Remarks for the operator.
    pub notes: Vec<String>,
    /// Duration in milliseconds.
    pub milliseconds: u64,
}

/// The result of a salvage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SalvageReport {
    /// The last frame of which anything was found.
    pub frame: u64,
    /// Records in the new folder.
    pub records: u64,
    /// Entries read from snapshots.
    pub from_snapshots: u64,
    /// Frames read from the journal.
    pub from_journal: u64,
    /// Rows read from the index.
    pub from_index: u64,
    /// Records left out because their checksum does not match.
    pub unreadable: u64,
    /// What could not be read.
    pub findings: Vec<Finding>,
    /// Warnings for the operator.
    pub warnings: Vec<String>,
    /// Duration in milliseconds.
    pub milliseconds: u64,
}
