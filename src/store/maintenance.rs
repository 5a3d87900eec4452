//! What an operator does with a store on disk, and what comes of it.
//!
//! Reports can be printed or serialised. What is done with a folder that no server uses is in [`super::data_folder`].

use super::{Key, Progress, StoreError};
use crate::domain::time::UnixMillis;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Called now and then during long work.
pub type ProgressFn<'a> = &'a dyn Fn(Progress);
/// Which records are derived from others, so that the next start makes them again.
pub type IsDerived<'a> = &'a dyn Fn(&Key) -> bool;

/// Maintenance of a store that is open, beside its traffic. All of it blocks: for threads that may.
pub trait Maintain: Send + Sync {
    /// Copies everything up to now into a new folder `to`.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] if `to` holds anything; [`StoreError::Damaged`] if the copy does not read back whole.
    fn backup(&self, to: &Path, progress: ProgressFn<'_>) -> Result<BackupReport, StoreError>;

    /// Reads everything and says what does not hold.
    ///
    /// # Errors
    /// When the system refuses. Damage is no error but a finding.
    fn check(&self, audit: &mut dyn Audit, progress: ProgressFn<'_>) -> Result<CheckReport, StoreError>;

    /// Gives back the disk space that replaced and removed records take. A kill at any moment loses nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the system refuses, there is too little space, or the store is closed.
    fn compact(&self, progress: ProgressFn<'_>) -> Result<CompactReport, StoreError>;
}

/// Looks at every record in key order, to find what no checksum can: an index entry without its record, for one.
pub trait Audit {
    /// One record; `value` has passed its checksum.
    fn record(&mut self, key: &Key, value: &[u8]);

    /// After the last record.
    fn finish(&mut self) -> Vec<Finding>;
}

/// No further questions.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAudit;

impl Audit for NoAudit {
    fn record(&mut self, _key: &Key, _value: &[u8]) {}

    fn finish(&mut self) -> Vec<Finding> {
        Vec::new()
    }
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// File or record.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// True if the folder was stopped cleanly (or is being served).
    pub clean: bool,
    /// True if the folder is a backup: it never had an index, and nobody stops it.
    pub backup: bool,
    /// True if the folder cannot be written by this process.
    pub read_only: bool,
    /// The last frame.
    pub frame: u64,
    /// Records in all.
    pub records: u64,
    /// Records by kind.
    pub by_kind: BTreeMap<&'static str, u64>,
    /// Snapshots read.
    pub snapshots: u64,
    /// Journal segments read.
    pub segments: u64,
    /// Frames that are not yet in a snapshot.
    pub frames: u64,
    /// Index rows that are merely behind; the next start brings them up to date.
    pub behind: u64,
    /// What does not hold, the first hundred.
    pub findings: Vec<Finding>,
    /// Findings in all.
    pub found: u64,
    /// What is worth knowing, but no damage.
    pub notes: Vec<String>,
}

impl CheckReport {
    /// True when nothing was found.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.found == 0
    }
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackupReport {
    /// The last frame in it.
    pub frame: u64,
    /// When that frame was written, in milliseconds since 1970.
    pub time: u64,
    /// Files copied.
    pub files: u64,
    /// Bytes copied.
    pub bytes: u64,
    /// How long it took.
    pub milliseconds: u64,
}

/// What was gained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompactReport {
    /// Bytes on disk before.
    pub before: u64,
    /// Bytes on disk after.
    pub after: u64,
    /// Records kept.
    pub records: u64,
    /// How long it took.
    pub milliseconds: u64,
}

/// Up to where to restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Everything.
    End,
    /// Everything up to the last frame that was committed at this moment or before, by the clock of then.
    Time(UnixMillis),
    /// Everything up to this frame.
    Frame(u64),
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestoreReport {
    /// The last frame that was restored.
    pub frame: u64,
    /// When it was written, in milliseconds since 1970; 0 if that is not known.
    pub time: u64,
    /// Records restored.
    pub records: u64,
    /// What is worth knowing.
    pub notes: Vec<String>,
    /// How long it took.
    pub milliseconds: u64,
}

/// What could be read, and what could not.
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
    /// What to keep in mind.
    pub warnings: Vec<String>,
    /// How long it took.
    pub milliseconds: u64,
}
