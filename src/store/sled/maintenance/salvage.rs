//! `salvage`: the last resort. Collects every record that can still be read, wherever it is.

use super::restore::write_folder;
use super::{Target, last_known_frame, lock_source};
use crate::store::maintenance::{Finding, IsDerived, ProgressFn, SalvageReport};
use crate::store::sled::folder::Folder;
use crate::store::sled::index::{self, Index};
use crate::store::sled::journal::segment;
use crate::store::sled::merge::{Collector, Merge};
use crate::store::sled::snapshot::{self, SnapshotEntry, SnapshotReader};
use crate::store::sled::{Options, Progress, io};
use crate::store::{Encoding, StoreError, codec};
use std::path::Path;
use std::time::Instant;

/// Writes everything readable in `from` into a new folder `to`. `from` is only read. Records derived from others are
/// left out.
///
/// # Errors
/// [`StoreError::Unusable`] if `to` is not empty; [`StoreError::Io`] if a system call fails.
pub fn salvage(
    from: &Path,
    to: &Path,
    options: &Options,
    is_derived: IsDerived<'_>,
    progress: ProgressFn<'_>,
) -> Result<SalvageReport, StoreError> {
    let started = Instant::now();
    let source = Folder::new(from);
    let _lock = lock_source(&source)?;
    let target = Target::new(to)?;
    let mut report = SalvageReport::default();
    let mut collector = Collector::new(&target.partial.join("scratch"));
    from_snapshots(&source, &mut collector, &mut report, progress)?;
    from_journal(&source, &mut collector, &mut report, progress)?;
    from_index(&source, &target.partial.join("index.copy"), &mut collector, &mut report, progress)?;
    let collected = collector.merge(Vec::new())?;
    let mut kept = keep_readable(collected, &target.partial.join("kept"), is_derived, &mut report)?;
    let (frame, time) = (report.frame, options.clock.now().0);
    report.records = write_folder(&target, &mut kept, frame, time, options, progress)?;
    if !report.findings.is_empty() {
        report.warnings.push(
            "changes recorded in unreadable parts are missing: records may be old, and removed ones (including revoked \
             sessions) may be back"
                .to_owned(),
        );
    }
    target.complete()?;
    report.milliseconds = io::milliseconds_since(started);
    Ok(report)
}

impl SalvageReport {
    fn cannot_read(&mut self, place: &Path, what: &str) {
        self.findings.push(Finding { place: place.display().to_string(), what: what.to_owned() });
    }
}

fn from_snapshots(
    source: &Folder,
    collector: &mut Collector,
    report: &mut SalvageReport,
    progress: ProgressFn<'_>,
) -> Result<(), StoreError> {
    for (_, path) in snapshot::list(&source.snapshots())? {
        let mut reader = match SnapshotReader::open(&path, None) {
            Ok(reader) => reader,
            Err(error) => {
                report.cannot_read(&path, &error.to_string());
                continue;
            }
        };
        report.frame = report.frame.max(reader.head.frame);
        loop {
            match reader.advance() {
                Ok(true) => {
                    collector.add(&reader.entry())?;
                    report.from_snapshots += 1;
                }
                Ok(false) => break,
                Err(error) => {
                    report.cannot_read(&path, &error.to_string());
                    break;
                }
            }
        }
        progress(Progress { stage: "reading snapshots", done: report.from_snapshots, total: 0 });
    }
    Ok(())
}

fn from_journal(
    source: &Folder,
    collector: &mut Collector,
    report: &mut SalvageReport,
    progress: ProgressFn<'_>,
) -> Result<(), StoreError> {
    let mut next = None;
    for (first, path) in segment::list(&source.journal())? {
        for (number, _, body) in segment::recognise(&path, segment::HEADER as u64)? {
            if let Some(expected) = next.filter(|expected| *expected < number) {
                report.cannot_read(&path, &format!("frames {expected} to {} are missing", number - 1));
            }
            next = Some(number + 1);
            match collector.add_frame(number, &body) {
                Err(StoreError::Damaged { what, .. }) => report.cannot_read(&path, &format!("frame {number}: {what}")),
                added => added?,
            }
            report.from_journal += 1;
            report.frame = report.frame.max(number);
        }
        if next.is_none() {
            next = Some(first);
        }
        progress(Progress { stage: "reading the journal", done: report.from_journal, total: 0 });
    }
    let known = last_known_frame(source).unwrap_or(0);
    let next = next.unwrap_or(1).max(report.frame + 1);
    if next <= known {
        report.cannot_read(&source.journal(), &format!("frames {next} to {known} are missing"));
    }
    Ok(())
}

/// Collects rows from a copy of the index, because opening it changes sled's files.
fn from_index(
    source: &Folder,
    copy: &Path,
    collector: &mut Collector,
    report: &mut SalvageReport,
    progress: ProgressFn<'_>,
) -> Result<(), StoreError> {
    if !source.index().join("db").exists() {
        return Ok(());
    }
    io::copy_directory(&source.index(), copy)?;
    match Index::open(copy, 32 << 20) {
        Err(error) => report.cannot_read(&source.index(), &error.to_string()),
        Ok(index) => {
            for row in index.all() {
                match row {
                    Ok((key, (frame, value))) => {
                        collector.add(&SnapshotEntry { key: &key, frame, value: Some(&value) })?;
                        report.from_index += 1;
                        report.frame = report.frame.max(frame);
                    }
                    Err(error) => {
                        report.cannot_read(&source.index(), &error.to_string());
                        break;
                    }
                }
                if report.from_index.is_multiple_of(4096) {
                    progress(Progress { stage: "reading the index", done: report.from_index, total: 0 });
                }
            }
            if let Err(error) = index.close() {
                report.cannot_read(&source.index(), &error.to_string());
            }
        }
    }
    io::remove_directory(copy)
}

/// Leaves out records whose checksum does not match, and those that the next start derives from others.
fn keep_readable(
    mut all: Merge,
    scratch: &Path,
    is_derived: IsDerived<'_>,
    report: &mut SalvageReport,
) -> Result<Merge, StoreError> {
    let mut kept = Collector::new(scratch);
    while all.advance()? {
        let entry = all.entry();
        let Some(value) = entry.value else { continue };
        let key = index::logical(entry.key);
        if key.as_ref().is_some_and(is_derived) {
            continue;
        }
        if key.is_some_and(|key| codec::check(Encoding::Binary, &key, value).is_ok()) {
            kept.add(&entry)?;
        } else {
            report.unreadable += 1;
        }
    }
    kept.merge(Vec::new())
}
