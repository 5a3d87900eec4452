//! What happens when a folder is opened.
//!
//! After a clean stop: every file is compared with the mark, then the index is used as it is. After anything else: the
//! index is compared, row by row, with snapshot and journal, and brought in line. What cannot be healed is refused, by
//! name, with the way out.

use super::acknowledged::{self, Acknowledged};
use super::folder::{self, Folder, FolderId, Identity};
use super::index::Index;
use super::journal::frames::{Damage, Ending, Scanned};
use super::journal::segment;
use super::journal::writer::seal_at;
use super::maintenance::settle_unfinished;
use super::marker::{Changes, Marker};
use super::reconcile::{Outcome, is_lost_tail, reconcile};
use super::snapshot::{self, Head, Writer};
use super::truth::Truth;
use super::{Options, Progress, RecoveryReport, Start};
use crate::store::StoreError;
use crate::store::sled::io;
use std::time::Instant;

/// A folder that is ready to be used.
pub(super) struct Opened {
    pub(super) id: FolderId,
    pub(super) index: Index,
    /// The last frame.
    pub(super) last: u64,
    /// Its time.
    pub(super) time: u64,
    /// A snapshot is wanted at once: one that was there could not be used.
    pub(super) snapshot_now: bool,
    pub(super) report: RecoveryReport,
}

/// Opens a folder whose lock is held.
pub(super) fn open(folder: &Folder, options: &Options) -> Result<Opened, StoreError> {
    let started = Instant::now();
    let mut notes = Vec::new();
    settle_unfinished(folder)?;
    if let Some(error) = acknowledged::emptied(folder)? {
        return Err(error);
    }
    let (id, fresh) = identify(folder, options, &mut notes)?;
    clean_up(folder)?;
    let marker = Marker::read(folder)?;
    let mut opened = match marker {
        Some(marker) => after_clean_stop(folder, id, &marker, options, notes)?,
        None => after_crash(folder, id, 0, options, notes, fresh)?,
    };
    Marker::remove(folder)?;
    opened.report.milliseconds = io::milliseconds_since(started);
    opened.report.log();
    Ok(opened)
}

/// Finds out whose files these are; a lost identity file is replaced if journal or snapshots still name the folder.
fn identify(folder: &Folder, options: &Options, notes: &mut Vec<String>) -> Result<(FolderId, bool), StoreError> {
    let why = match folder::read_identity(folder)? {
        Identity::Is(id) => return Ok((id, false)),
        Identity::Missing(why) => why,
    };
    let segments = segment::list(&folder.journal())?;
    let snapshots = snapshot::list(&folder.snapshots())?;
    let from_journal = segments.iter().find_map(|(first, path)| segment::folder_id(path, *first));
    let from_snapshot = || snapshots.iter().find_map(|(_, path)| snapshot::Reader::open(path, None).ok());
    if let Some(id) = from_journal.or_else(|| from_snapshot().map(|reader| reader.head.id)) {
        folder::write_identity(folder, &id)?;
        notes.push(format!("the identity file {why}: written again from what journal and snapshots say"));
        return Ok((id, false));
    }
    if !segments.is_empty() || !snapshots.is_empty() || folder.index().join("db").exists() || why != "is missing" {
        let what = format!("the identity file {why}, and no journal or snapshot says whose folder this is");
        return Err(Damage { place: folder.identity(), what }.error());
    }
    folder::refuse_foreign(folder)?;
    let id = folder::new_identity(options.entropy.as_ref());
    // The identity last: where it is, the note has been.
    Acknowledged::open(folder, 0)?;
    folder::write_identity(folder, &id)?;
    Ok((id, true))
}

/// Removes what a killed process left half-done.
fn clean_up(folder: &Folder) -> Result<(), StoreError> {
    io::remove_directory(&folder.index_in_work())?;
    io::remove_directory(&folder.index_replaced())?;
    io::remove_directory(&folder.snapshots().join("scratch"))?;
    if let Ok(entries) = std::fs::read_dir(folder.snapshots()) {
        for entry in entries.flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "new") {
                io::remove_file(&entry.path())?;
            }
        }
    }
    Ok(())
}

fn after_clean_stop(
    folder: &Folder,
    id: FolderId,
    marker: &Marker,
    options: &Options,
    mut notes: Vec<String>,
) -> Result<Opened, StoreError> {
    (options.progress)(Progress { stage: "comparing files", done: 0, total: 0 });
    let Changes { truth, index } = marker.changes(folder)?;
    notes.extend(truth.iter().chain(&index).cloned());
    if index.is_empty() {
        Marker::remove(folder)?;
        match Index::open(&folder.index(), options.cache_bytes) {
            Ok(index) if truth.is_empty() => {
                let report = RecoveryReport::new(Start::Clean, marker.frame, notes);
                return Ok(Opened { id, index, last: marker.frame, time: marker.time, snapshot_now: false, report });
            }
            Ok(index) => return from_index(folder, id, index, marker, notes),
            Err(error) => notes.push(error.to_string()),
        }
    }
    after_crash(folder, id, marker.frame, options, notes, false)
}

/// The index is whole, journal or snapshots are not: they are set aside, and a new snapshot is written from the index.
fn from_index(
    folder: &Folder,
    id: FolderId,
    index: Index,
    marker: &Marker,
    mut notes: Vec<String>,
) -> Result<Opened, StoreError> {
    let (last, time) = (marker.frame, marker.time);
    let snapshots = snapshot::list(&folder.snapshots())?;
    let segments = segment::list(&folder.journal())?;
    io::create_directory(&folder.snapshots())?;
    let path = snapshot::path(&folder.snapshots(), last);
    let temporary = path.with_extension("new");
    let mut writer = Writer::create(&temporary, &Head { id, frame: last, time })?;
    for row in index.all() {
        let (key, (frame, value)) = row?;
        writer.push(&snapshot::Entry { key: &key, frame, value: Some(&value) })?;
    }
    let rows = writer.rows;
    writer.finish()?;
    snapshot::verify_deeply(&temporary, &id, &mut |_| Ok(()))?;
    // The new snapshot first: a kill from here on finds it, and needs nothing of what is set aside.
    io::rename(&temporary, &path)?;
    for (_, old) in snapshots.iter().chain(&segments).filter(|(_, old)| *old != path) {
        let aside = folder.set_aside(old)?;
        notes.push(format!("{} was set aside as {}", old.display(), aside.display()));
    }
    notes.push(format!("a new snapshot with {rows} records was written from the index"));
    let report = RecoveryReport::new(Start::Healed, last, notes);
    Ok(Opened { id, index, last, time, snapshot_now: false, report })
}

/// Nothing is taken for granted: the index must agree with snapshot and journal, or is made to.
fn after_crash(
    folder: &Folder,
    id: FolderId,
    at_least: u64,
    options: &Options,
    mut notes: Vec<String>,
    fresh: bool,
) -> Result<Opened, StoreError> {
    let progress = options.progress.as_ref();
    let note = acknowledged::read(folder)?;
    // A server that runs always has a segment, so this is no crash.
    if note.is_none() && at_least == 0 && segment::list(&folder.journal())?.is_empty() {
        let what = "no segment is there, nor the note of the last acknowledged frame: what was written after the \
                    last snapshot cannot be known"
            .to_owned();
        return Err(Damage { place: folder.journal(), what }.error());
    }
    let existed = folder.index().join("db").exists();
    let mut index = None;
    let mut indexed = 0;
    match Index::open(&folder.index(), options.cache_bytes).and_then(|index| Ok((index.frame()?, index))) {
        Ok((frame, open)) => (indexed, index) = (frame, Some(open)),
        Err(error @ StoreError::Damaged { .. }) => notes.push(error.to_string()),
        Err(error) => return Err(error),
    }
    let acknowledged = note.unwrap_or(0).max(at_least).max(indexed);
    let truth = Truth::find(folder, &id, acknowledged, u64::MAX, progress)?;
    let mut start = match (fresh, existed) {
        (true, _) => Start::Fresh,
        (false, true) => Start::Verified,
        (false, false) => Start::Rebuilt,
    };
    let mut repaired = 0;
    let whole = match &index {
        Some(index) => match reconcile(index, &truth, indexed, progress) {
            Ok(Outcome { unexplained: 0, repaired: count, .. }) => {
                repaired = count;
                true
            }
            Ok(Outcome { unexplained, .. }) => {
                notes.push(format!("the index differed from snapshot and journal in {unexplained} records"));
                false
            }
            Err(error @ StoreError::Damaged { .. }) if !is_lost_tail(&error) => {
                notes.push(error.to_string());
                false
            }
            Err(error) => return Err(error),
        },
        None => false,
    };
    let index = match index {
        Some(index) if whole => index,
        broken => {
            start = Start::Rebuilt;
            if existed {
                notes.push("the index is rebuilt from snapshot and journal".to_owned());
            }
            rebuild(folder, broken, &truth, options)?
        }
    };
    finish_journal(folder, &truth.scanned, &mut notes)?;
    if let Some(torn) = &truth.frames.torn {
        notes.push(format!("an unfinished write at the end of the journal was cut off: {torn}"));
    }
    for (path, what) in &truth.bad_snapshots {
        let aside = folder.set_aside(path)?;
        notes.push(format!("a damaged snapshot was set aside as {}: {what}", aside.display()));
    }
    let mut report = RecoveryReport::new(start, truth.last(), notes);
    report.repaired = repaired;
    let snapshot_now = !truth.bad_snapshots.is_empty();
    Ok(Opened { id, index, last: truth.last(), time: truth.time(), snapshot_now, report })
}

fn rebuild(folder: &Folder, broken: Option<Index>, truth: &Truth, options: &Options) -> Result<Index, StoreError> {
    if let Some(broken) = broken
        && let Err(error) = broken.close()
    {
        tracing::warn!(%error, "the damaged index did not close well");
    }
    io::remove_directory(&folder.index())?;
    let index = Index::open(&folder.index(), options.cache_bytes)?;
    reconcile(&index, truth, 0, options.progress.as_ref())?;
    Ok(index)
}

/// Ends every segment that an earlier process left open; empty ones go.
fn finish_journal(folder: &Folder, scanned: &[Scanned], notes: &mut Vec<String>) -> Result<(), StoreError> {
    for segment in scanned {
        match segment.ending {
            Ending::Sealed => {}
            Ending::Unreadable(what) => {
                let aside = folder.set_aside(&segment.path)?;
                notes.push(format!("{}: {what}; set aside as {}", segment.path.display(), aside.display()));
            }
            Ending::Blank | Ending::Bad(_) if segment.next == segment.first => io::remove_file(&segment.path)?,
            Ending::Blank | Ending::Bad(_) => {
                let file = std::fs::OpenOptions::new().read(true).write(true).open(&segment.path);
                let file = file.map_err(|error| io::failed("cannot open", &segment.path, error))?;
                seal_at(&file, &segment.path, segment.end, segment.next)?;
            }
        }
    }
    if folder.journal().is_dir() { io::sync_directory(&folder.journal()) } else { Ok(()) }
}
