//! Opening a folder.
//!
//! After a clean stop, every file is compared with the mark, and then the index is used as it is. Otherwise the index
//! is compared, row by row, with snapshot and journal, and repaired. What cannot be healed is refused with an error
//! that names it and suggests what to do.
//!
//! A start may be killed anywhere. So whatever justifies a step (the mark, the note of the last acknowledged frame, a
//! file that names the folder) is kept until the result of the step is durable; the next start then has the same
//! evidence.

use super::acknowledged::{self, Acknowledged};
use super::folder::{self, Folder, FolderId, Identity};
use super::heal;
use super::index::Index;
use super::journal::frames::{Damage, Ending, Scanned};
use super::journal::segment;
use super::journal::writer::seal_at;
use super::maintenance::settle_unfinished;
use super::marker::{Changes, Marker};
use super::reconcile::{Outcome, is_lost_tail, reconcile};
use super::snapshot;
use super::truth::Truth;
use super::{Options, Progress, RecoveryReport, Start};
use crate::store::StoreError;
use crate::store::sled::io;
use std::time::Instant;

/// A folder that is ready for use.
pub(super) struct Opened {
    pub(super) id: FolderId,
    pub(super) index: Index,
    /// The last frame.
    pub(super) last: u64,
    /// Time of that frame.
    pub(super) time: u64,
    /// True if a snapshot is needed at once, because an existing one could not be used.
    pub(super) snapshot_now: bool,
    pub(super) report: RecoveryReport,
}

/// Opens a folder; the caller holds its lock.
pub(super) fn open(folder: &Folder, options: &Options) -> Result<Opened, StoreError> {
    let started = Instant::now();
    let mut notes = Vec::new();
    settle_unfinished(folder)?;
    if let Some(error) = acknowledged::emptied_error(folder)? {
        return Err(error);
    }
    let owner = identify(folder, options, &mut notes)?;
    clean_up(folder)?;
    let mut opened = match credible_mark(folder, &mut notes)? {
        Some(marker) => after_clean_stop(folder, owner.id, &marker, options, notes)?,
        None => after_crash(folder, owner.id, None, options, notes, owner.is_fresh)?,
    };
    // From here on nothing depends on the mark, which is removed last.
    acknowledged::ensure(folder, opened.last)?;
    if !owner.is_named {
        folder::write_identity(folder, &owner.id)?;
    }
    Marker::remove(folder)?;
    opened.report.milliseconds = io::milliseconds_since(started);
    opened.report.log();
    Ok(opened)
}

/// The identity of a folder, and how it was found.
struct Owner {
    id: FolderId,
    /// True if the folder was new.
    is_fresh: bool,
    /// True if the id comes from the identity file.
    is_named: bool,
}

/// Determines the folder id. If the identity file is lost, journal or snapshots may still name the folder; the file is
/// written again only once the folder is known to be intact, because the name may have come from a stray file.
fn identify(folder: &Folder, options: &Options, notes: &mut Vec<String>) -> Result<Owner, StoreError> {
    let why = match folder::read_identity(folder)? {
        Identity::Known(id) => return Ok(Owner { id, is_fresh: false, is_named: true }),
        Identity::Missing(why) => why,
    };
    let segments = segment::list(&folder.journal())?;
    let snapshots = snapshot::list(&folder.snapshots())?;
    let from_journal = segments.iter().find_map(|(first, path)| segment::folder_id(path, *first));
    let from_snapshot = || snapshots.iter().find_map(|(_, path)| snapshot::SnapshotReader::open(path, None).ok());
    if let Some(id) = from_journal.or_else(|| from_snapshot().map(|reader| reader.head.id)) {
        notes.push(format!("the identity file {why}: it was rebuilt from journal and snapshots"));
        return Ok(Owner { id, is_fresh: false, is_named: false });
    }
    if !segments.is_empty() || !snapshots.is_empty() || folder.index().join("db").exists() || why != "is missing" {
        let what = format!("the identity file {why}, and no journal or snapshot identifies the folder");
        return Err(Damage { place: folder.identity(), what }.error());
    }
    folder::refuse_foreign(folder)?;
    let id = folder::new_identity(options.entropy.as_ref());
    // The identity last: where it exists, the note was written before it.
    Acknowledged::open(folder, 0)?;
    folder::write_identity(folder, &id)?;
    Ok(Owner { id, is_fresh: true, is_named: true })
}

/// The mark of a clean stop, unless the folder has been in use since.
fn credible_mark(folder: &Folder, notes: &mut Vec<String>) -> Result<Option<Marker>, StoreError> {
    let Some(marker) = Marker::read(folder)? else { return Ok(None) };
    match acknowledged::read(folder)? {
        Some(frame) if frame > marker.frame => {
            notes.push(format!(
                "the mark of the clean stop is of frame {}, but frame {frame} was acknowledged: verifying everything",
                marker.frame
            ));
            Ok(None)
        }
        _ => Ok(Some(marker)),
    }
}

/// Removes what a killed process left unfinished.
fn clean_up(folder: &Folder) -> Result<(), StoreError> {
    io::remove_directory(&folder.index_in_work())?;
    io::remove_directory(&folder.index_replaced())?;
    io::remove_directory(&folder.snapshots().join("scratch"))?;
    io::remove_directory(&folder.check_in_work())?;
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
    if index.is_empty() && truth.is_empty() {
        match Index::open(&folder.index(), options.cache_bytes) {
            Ok(index) => {
                let report = RecoveryReport::new(Start::Clean, marker.frame, notes);
                return Ok(Opened { id, index, last: marker.frame, time: marker.time, snapshot_now: false, report });
            }
            Err(error) => notes.push(error.to_string()),
        }
    }
    let is_healed = index.is_empty() && !truth.is_empty() && heal::from_index(folder, id, marker, options, &mut notes)?;
    let mut opened = after_crash(folder, id, Some(marker.frame), options, notes, false)?;
    if is_healed {
        opened.report.start = Start::Healed;
    }
    Ok(opened)
}

/// Trusts nothing: the index must agree with snapshot and journal, or is repaired. `marked` is the frame of a mark that
/// files differ from.
fn after_crash(
    folder: &Folder,
    id: FolderId,
    marked: Option<u64>,
    options: &Options,
    mut notes: Vec<String>,
    fresh: bool,
) -> Result<Opened, StoreError> {
    let progress = options.progress.as_ref();
    if marked.is_none()
        && let Some(error) = acknowledged::unknown_end_error(folder)?
    {
        return Err(error);
    }
    let note = acknowledged::read(folder)?;
    let existed = folder.index().join("db").exists();
    let mut index = None;
    let mut indexed = 0;
    match Index::open(&folder.index(), options.cache_bytes).and_then(|index| Ok((index.frame()?, index))) {
        Ok((frame, open)) => (indexed, index) = (frame, Some(open)),
        Err(error @ StoreError::Damaged { .. }) => notes.push(error.to_string()),
        Err(error) => return Err(error),
    }
    let acknowledged = note.max(marked).unwrap_or(0).max(indexed);
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
    // Before an empty segment is removed, which proves that the folder has been in use.
    acknowledged::ensure(folder, truth.last())?;
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
        tracing::warn!(%error, "the damaged index could not be closed");
    }
    io::remove_directory(&folder.index())?;
    let index = Index::open(&folder.index(), options.cache_bytes)?;
    reconcile(&index, truth, 0, options.progress.as_ref())?;
    Ok(index)
}

/// Ends every segment that an earlier process left open; removes empty ones.
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
