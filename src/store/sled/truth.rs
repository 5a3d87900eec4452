//! What the store holds according to snapshot and journal: the newest good snapshot and an unbroken run of frames after
//! it. The index is not consulted.

use super::Progress;
use super::folder::{Folder, FolderId};
use super::journal::frames::{Coverage, Scanned};
use super::journal::{self, Frames};
use super::merge::Merge;
use super::point::{self, FrameTimes, Point};
use super::snapshot::{self, SnapshotHeader, SnapshotReader};
use crate::store::StoreError;
use crate::store::maintenance::Until;
use std::path::{Path, PathBuf};

/// A good snapshot.
#[derive(Debug, Clone)]
pub(super) struct Base {
    pub(super) path: PathBuf,
    pub(super) head: SnapshotHeader,
    pub(super) rows: u64,
}

/// The chosen snapshot and the frames after it.
#[derive(Debug)]
pub(super) struct Truth {
    folder: Folder,
    id: FolderId,
    /// Folder for temporary files, if not the one next to the snapshots.
    scratch: Option<PathBuf>,
    /// The snapshot; `None` if the journal goes back to the first frame.
    pub(super) base: Option<Base>,
    /// The frames after the snapshot.
    pub(super) frames: Coverage,
    /// All segments, for ending or removing them.
    pub(super) scanned: Vec<Scanned>,
    /// Damaged snapshots, with a description of the damage.
    pub(super) bad_snapshots: Vec<(PathBuf, String)>,
}

impl Truth {
    /// Reads journal and snapshots of a folder; `acknowledged` is the last frame that is known to have existed.
    /// Segments that start after frame `until` are left alone: they may be in use.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] names what is missing if no snapshot with an unbroken run of frames is left.
    pub(super) fn find(
        folder: &Folder,
        id: &FolderId,
        acknowledged: u64,
        until: u64,
        progress: &dyn Fn(Progress),
    ) -> Result<Self, StoreError> {
        let report = |done| {
            progress(Progress { stage: "reading the journal", done, total: 0 });
        };
        let scanned = journal::scan(&folder.journal(), id, until, &report, &mut |_, _, _| {})?;
        let mut bad_snapshots = Vec::new();
        let mut first_damage = None;
        for (_, path) in snapshot::list(&folder.snapshots())?.into_iter().rev() {
            let (head, rows) = match snapshot::verify(&path, id, &mut || Ok(())) {
                Ok(good) => good,
                Err(StoreError::Damaged { what, .. }) => {
                    bad_snapshots.push((path, what));
                    continue;
                }
                Err(error) => return Err(error),
            };
            match journal::coverage(&scanned, head.frame + 1, acknowledged)? {
                Ok(frames) => {
                    let base = Some(Base { path, head, rows });
                    return Ok(Self {
                        folder: folder.clone(),
                        id: *id,
                        scratch: None,
                        base,
                        frames,
                        scanned,
                        bad_snapshots,
                    });
                }
                Err(damage) => {
                    first_damage.get_or_insert(damage);
                }
            }
        }
        match journal::coverage(&scanned, 1, acknowledged)? {
            Ok(frames) => {
                Ok(Self { folder: folder.clone(), id: *id, scratch: None, base: None, frames, scanned, bad_snapshots })
            }
            Err(damage) => Err(bad_snapshots.into_iter().next().map_or_else(
                || first_damage.unwrap_or(damage).at(&folder.journal()).error(),
                |(path, what)| journal::frames::Damage { place: path, what }.error(),
            )),
        }
    }

    /// Like [`Self::find`], for a point in time: damage after it does not matter, and an older snapshot may be needed.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] if the point cannot be reached or cannot be determined.
    pub(super) fn find_until(
        folder: &Folder,
        id: &FolderId,
        acknowledged: u64,
        until: Until,
        progress: &dyn Fn(Progress),
    ) -> Result<(Self, Point), StoreError> {
        if until == Until::End {
            let truth = Self::find(folder, id, acknowledged, u64::MAX, progress)?;
            let point = Point { frame: truth.last(), time: truth.time(), notes: Vec::new() };
            return Ok((truth, point));
        }
        let mut times = FrameTimes::new(until);
        let mut add = |segment: &Scanned, number, time| times.add(segment, number, time);
        let scanned = journal::scan(&folder.journal(), id, u64::MAX, &|_| {}, &mut add)?;
        let mut bad_snapshots = Vec::new();
        let mut bases = vec![None];
        for (_, path) in snapshot::list(&folder.snapshots())? {
            match snapshot::verify(&path, id, &mut || Ok(())) {
                Ok((head, rows)) => bases.push(Some(Base { path, head, rows })),
                Err(StoreError::Damaged { what, .. }) => bad_snapshots.push((path, what)),
                Err(error) => return Err(error),
            }
        }
        let read_from = |base: Option<Base>| Self {
            folder: folder.clone(),
            id: *id,
            scratch: None,
            frames: journal::frames::unbroken(&scanned, base.as_ref().map_or(1, |base| base.head.frame + 1)),
            base,
            scanned: scanned.clone(),
            bad_snapshots: bad_snapshots.clone(),
        };
        let candidates = bases.into_iter().rev().map(read_from).filter(|truth| truth.last() > 0);
        point::choose(candidates.collect(), &times, acknowledged, &folder.root)
    }

    /// The id of the folder.
    pub(super) const fn id(&self) -> FolderId {
        self.id
    }

    /// Uses another folder for temporary files.
    pub(super) fn with_scratch(self, scratch: PathBuf) -> Self {
        Self { scratch: Some(scratch), ..self }
    }

    /// The last frame.
    pub(super) const fn last(&self) -> u64 {
        self.frames.last
    }

    /// The time of the last frame.
    pub(super) fn time(&self) -> u64 {
        if self.frames.last < self.frames.from {
            return self.base.as_ref().map_or(0, |base| base.head.time);
        }
        self.frames.time
    }

    /// The frame of the snapshot, or 0 if there is none.
    pub(super) fn base_frame(&self) -> u64 {
        self.base.as_ref().map_or(0, |base| base.head.frame)
    }

    /// Every key's state after frame `upto`, in key order.
    pub(super) fn merge(&self, upto: u64) -> Result<Merge, StoreError> {
        let beside = || self.folder.snapshots().join("scratch");
        self.merge_into(upto, &self.scratch.clone().unwrap_or_else(beside))
    }

    /// Like [`Self::merge`], with temporary files in `scratch`.
    pub(super) fn merge_into(&self, upto: u64, scratch: &Path) -> Result<Merge, StoreError> {
        let base = match &self.base {
            Some(base) => Some(SnapshotReader::open(&base.path, Some(&self.id))?),
            None => None,
        };
        let mut frames = Frames::new(&self.frames, self.id, upto);
        Merge::new(base, &mut frames, scratch)
    }
}
