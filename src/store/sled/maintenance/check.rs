//! `check`: reads all data and reports what is wrong. Repairs nothing.

use super::workspace::Workspace;
use super::{last_known_frame, lock_source};
use crate::store::maintenance::{Audit, CheckReport, Finding, ProgressFn};
use crate::store::sled::acknowledged;
use crate::store::sled::folder::{self, Folder, FolderId, Identity};
use crate::store::sled::index::{self, Index, Stamped};
use crate::store::sled::journal::{Frames, frame, segment};
use crate::store::sled::marker::Marker;
use crate::store::sled::reconcile::{Difference, walk};
use crate::store::sled::snapshot::{self, SnapshotEntry};
use crate::store::sled::truth::Truth;
use crate::store::sled::{SledEngine, background};
use crate::store::{Encoding, Keyspace, StoreError, codec};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Findings beyond this number are only counted.
const LISTED: usize = 100;
/// Page cache of an index that is only scanned.
const CACHE: u64 = 32 << 20;

impl CheckReport {
    fn find(&mut self, finding: Finding) {
        self.found += 1;
        if self.findings.len() < LISTED {
            self.findings.push(finding);
        }
    }

    fn find_error(&mut self, error: StoreError) -> Result<(), StoreError> {
        match error {
            StoreError::Damaged { place, what, .. } => self.find(Finding { place, what }),
            other => return Err(other),
        }
        Ok(())
    }

    fn count(&mut self, entry: &SnapshotEntry<'_>, audit: &mut dyn Audit) {
        let (Some(key), Some(value)) = (index::logical(entry.key), entry.value) else {
            let what = "a record of a kind that this sessiond does not know".to_owned();
            return self.find(Finding { place: entry.key.escape_ascii().to_string(), what });
        };
        *self.by_kind.entry(Keyspace::name(key.keyspace)).or_default() += 1;
        match codec::check(Encoding::Binary, &key, value) {
            Ok(()) => audit.record(&key, value),
            Err(error) => {
                let _ = self.find_error(error);
            }
        }
    }
}

/// Checks a folder that no server uses. The folder is only read: temporary files go into a folder of their own inside
/// it, or among the system's temporary files if it is not writable.
///
/// # Errors
/// [`StoreError::Locked`] while a server runs; [`StoreError::Io`] if a system call fails. Damage is not an error but a
/// finding.
pub fn check(path: &Path, audit: &mut dyn Audit, progress: ProgressFn<'_>) -> Result<CheckReport, StoreError> {
    let folder = Folder::new(path);
    let _lock = lock_source(&folder)?;
    let mut report = CheckReport::default();
    let id = match folder::read_identity(&folder)? {
        Identity::Known(id) => id,
        Identity::Missing(why) => {
            report.find(Finding { place: folder.identity().display().to_string(), what: format!("the file {why}") });
            let segments = segment::list(&folder.journal())?;
            match segments.iter().find_map(|(first, path)| segment::folder_id(path, *first)) {
                Some(id) => id,
                None => return Ok(report),
            }
        }
    };
    if let Some(error) = acknowledged::emptied_error(&folder)? {
        report.find_error(error)?;
        return Ok(report);
    }
    let marker = Marker::read(&folder)?;
    if folder.marker().exists() && marker.is_none() {
        report.find(Finding { place: folder.marker().display().to_string(), what: "it is damaged".to_owned() });
    }
    report.clean = marker.is_some();
    report.backup = marker.is_none() && folder.manifest().exists() && !folder.index().join("db").exists();
    if let Some(marker) = &marker {
        let changes = marker.changes(&folder)?;
        for what in changes.truth.into_iter().chain(changes.index) {
            report.find(Finding { place: folder.root.display().to_string(), what });
        }
    } else if report.backup {
        report.notes.push("this is a backup: snapshots and journal were read; it has no index to compare".to_owned());
    } else {
        report.notes.push("the folder was not stopped cleanly: the next start verifies it".to_owned());
        if let Some(error) = acknowledged::unknown_end_error(&folder)? {
            report.find_error(error)?;
        }
    }
    let workspace = Workspace::new(&folder)?;
    report.read_only = workspace.is_elsewhere;
    check_snapshots(&folder, &id, &mut report)?;
    let known = last_known_frame(&folder)?;
    let truth = match Truth::find(&folder, &id, known, u64::MAX, progress) {
        Ok(truth) => truth.with_scratch(workspace.runs()),
        Err(error) => {
            report.find_error(error)?;
            report.notes.push("the index was not compared: snapshot and journal do not suffice".to_owned());
            return Ok(report);
        }
    };
    describe(&truth, &mut report);
    match copy_of_index(&folder, &workspace, &mut report)? {
        Some(copy) => check_index(&folder, &copy, &truth, &mut report, audit, progress)?,
        None => count_records(&truth, &mut report, audit).or_else(|error| report.find_error(error))?,
    }
    Ok(report)
}

/// Copies the index so that it can be opened, which changes sled's files; `None`, with a note, if there is no index or
/// no room.
fn copy_of_index(
    folder: &Folder,
    workspace: &Workspace,
    report: &mut CheckReport,
) -> Result<Option<PathBuf>, StoreError> {
    if !folder.index().join("db").exists() {
        if !report.backup {
            report.notes.push("there is no index: the next start rebuilds it".to_owned());
        }
        return Ok(None);
    }
    match workspace.copy(&folder.index()) {
        Ok(copy) => Ok(Some(copy)),
        Err(StoreError::DiskFull { .. } | StoreError::FileSizeLimit { .. }) => {
            let place = workspace.path.display();
            report.notes.push(format!("the index was not compared: there is no room for a copy of it in {place}"));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Counts the records from snapshot and journal alone.
fn count_records(truth: &Truth, report: &mut CheckReport, audit: &mut dyn Audit) -> Result<(), StoreError> {
    let mut merge = truth.merge(truth.last())?;
    while merge.advance()? {
        let entry = merge.entry();
        if entry.value.is_some() {
            report.records += 1;
            report.count(&entry, audit);
        }
    }
    audit.finish().into_iter().for_each(|finding| report.find(finding));
    Ok(())
}

fn describe(truth: &Truth, report: &mut CheckReport) {
    report.frame = truth.last();
    report.frames = truth.last() - truth.base_frame();
    report.segments = truth.scanned.len() as u64;
    report.notes.extend(truth.frames.torn.iter().map(|torn| format!("an unfinished write at the end: {torn}")));
}

fn check_snapshots(folder: &Folder, id: &FolderId, report: &mut CheckReport) -> Result<(), StoreError> {
    for (_, path) in snapshot::list(&folder.snapshots())? {
        report.snapshots += 1;
        if let Err(error) = snapshot::verify_deeply(&path, id, &mut |_| Ok(())) {
            report.find_error(error)?;
        }
    }
    Ok(())
}

fn check_index(
    folder: &Folder,
    copy: &Path,
    truth: &Truth,
    report: &mut CheckReport,
    audit: &mut dyn Audit,
    progress: ProgressFn<'_>,
) -> Result<(), StoreError> {
    let walked = Index::open_copy(copy, &folder.index(), CACHE).and_then(|index| {
        let indexed = index.frame()?;
        if indexed < truth.last() && report.clean {
            let what = format!("it ends with frame {indexed} instead of {}", truth.last());
            report.find(Finding { place: folder.index().display().to_string(), what });
        }
        let walked = walk_both(index.all(), truth, indexed, report, audit, progress, &mut |_| true);
        index.close()?;
        walked
    });
    walked.or_else(|error| report.find_error(error))
}

fn walk_both(
    rows: impl Iterator<Item = Result<(Vec<u8>, Stamped), StoreError>>,
    truth: &Truth,
    indexed: u64,
    report: &mut CheckReport,
    audit: &mut dyn Audit,
    progress: ProgressFn<'_>,
    damaged: &mut dyn FnMut(&Difference<'_>) -> bool,
) -> Result<(), StoreError> {
    let shared = RefCell::new(report);
    let mut count = |entry: &SnapshotEntry<'_>| shared.borrow_mut().count(entry, audit);
    let mut differs = |difference: &Difference<'_>| {
        let mut report = shared.borrow_mut();
        if difference.explained {
            report.behind += 1;
        } else if damaged(difference) {
            report.find(differing(difference.key));
        }
        Ok(())
    };
    let records = walk(rows, truth, indexed, progress, &mut count, &mut differs)?;
    let report = shared.into_inner();
    report.records = records;
    audit.finish().into_iter().for_each(|finding| report.find(finding));
    Ok(())
}

fn differing(key: &[u8]) -> Finding {
    let place = index::logical(key).map_or_else(|| key.escape_ascii().to_string(), |key| key.to_string());
    Finding { place, what: "the index differs from snapshot and journal".to_owned() }
}

impl SledEngine {
    /// Checks the folder of a running server while it is in use.
    ///
    /// # Errors
    /// As for [`check`].
    pub fn check(&self, audit: &mut dyn Audit, progress: ProgressFn<'_>) -> Result<CheckReport, StoreError> {
        let shared = &self.shared;
        let _alone = shared.maintain();
        let last = background::rotate(shared)?;
        let folder = &shared.folder;
        let mut report = CheckReport { clean: true, ..CheckReport::default() };
        check_snapshots(folder, &shared.id, &mut report)?;
        if !report.is_sound() {
            report.notes.push("a bad snapshot is set aside and replaced as soon as this check is over".to_owned());
            shared.housekeeping.raise();
        }
        let truth = match Truth::find(folder, &shared.id, last, last, progress) {
            Ok(truth) => truth,
            Err(error) => {
                report.find_error(error)?;
                return Ok(report);
            }
        };
        describe(&truth, &mut report);
        let view = shared.view()?;
        let Some(view) = view.as_ref() else { return Ok(report) };
        // Keys that differ may have been written since; the frames since then will show it.
        let mut suspects = BTreeSet::new();
        let walked = walk_both(view.all(), &truth, last, &mut report, audit, progress, &mut |difference| {
            if difference.indexed.is_none_or(|frame| frame <= last) {
                suspects.insert(difference.key.to_vec());
            }
            false
        });
        if let Err(error) = walked {
            report.find_error(error)?;
        }
        let now = background::rotate(shared)?;
        let mut frames = Frames::new(&background::closed_segments(folder, last + 1, now)?, shared.id, now);
        let mut body = Vec::new();
        while !suspects.is_empty() && frames.next(&mut body)?.is_some() {
            // A malformed frame is found by the merge.
            for write in frame::writes(&body).flatten() {
                suspects.remove(write.key);
            }
        }
        suspects.iter().for_each(|key| report.find(differing(key)));
        Ok(report)
    }
}
