//! What the store holds, according to snapshot and journal: the newest good snapshot and an unbroken run of frames after
//! it. The index is not asked.

use super::Progress;
use super::folder::{Folder, FolderId};
use super::journal::frames::{Coverage, Scanned};
use super::journal::{self, Frames};
use super::maintenance::Until;
use super::merge::Merge;
use super::snapshot::{self, Head, Reader};
use crate::store::StoreError;
use std::path::{Path, PathBuf};

/// A good snapshot.
#[derive(Debug, Clone)]
pub(super) struct Base {
    pub(super) path: PathBuf,
    pub(super) head: Head,
    pub(super) rows: u64,
}

/// The chosen snapshot and the frames after it.
#[derive(Debug)]
pub(super) struct Truth {
    folder: Folder,
    id: FolderId,
    /// `None`: the journal goes back to the first frame.
    pub(super) base: Option<Base>,
    /// The frames after it.
    pub(super) frames: Coverage,
    /// Every segment, for whoever ends or removes them.
    pub(super) scanned: Vec<Scanned>,
    /// Snapshots that are damaged, and how.
    pub(super) bad_snapshots: Vec<(PathBuf, String)>,
}

impl Truth {
    /// Reads journal and snapshots of a folder; `acknowledged` is the last frame that is known to have existed.
    /// Segments that start after frame `until` are left alone: somebody may be writing them.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] names what is missing when no snapshot with an unbroken run of frames is left.
    pub(super) fn find(
        folder: &Folder,
        id: &FolderId,
        acknowledged: u64,
        until: u64,
        progress: &dyn Fn(Progress),
    ) -> Result<Self, StoreError> {
        let scanned = journal::scan(&folder.journal(), id, until, &|done| {
            progress(Progress { stage: "reading the journal", done, total: 0 });
        })?;
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
                    return Ok(Self { folder: folder.clone(), id: *id, base, frames, scanned, bad_snapshots });
                }
                Err(damage) => {
                    first_damage.get_or_insert(damage);
                }
            }
        }
        match journal::coverage(&scanned, 1, acknowledged)? {
            Ok(frames) => Ok(Self { folder: folder.clone(), id: *id, base: None, frames, scanned, bad_snapshots }),
            Err(damage) => Err(bad_snapshots.into_iter().next().map_or_else(
                || first_damage.unwrap_or(damage).at(&folder.journal()).error(),
                |(path, what)| journal::frames::Damage { place: path, what }.error(),
            )),
        }
    }

    /// As [`Self::find`], for a point in time: damage after it does no harm, and an older snapshot may have to serve.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] when nothing goes back that far.
    pub(super) fn find_until(
        folder: &Folder,
        id: &FolderId,
        acknowledged: u64,
        until: Until,
        progress: &dyn Fn(Progress),
    ) -> Result<Self, StoreError> {
        if until == Until::End {
            return Self::find(folder, id, acknowledged, u64::MAX, progress);
        }
        let scanned = journal::scan(&folder.journal(), id, u64::MAX, &|_| {})?;
        let in_time = |frame: u64, time: u64| match until {
            Until::End => true,
            Until::Time(limit) => time <= limit.0,
            Until::Frame(limit) => frame <= limit,
        };
        let mut bad_snapshots = Vec::new();
        let mut bases = vec![None];
        for (_, path) in snapshot::list(&folder.snapshots())? {
            match snapshot::verify(&path, id, &mut || Ok(())) {
                Ok((head, rows)) if in_time(head.frame, head.time) => bases.push(Some(Base { path, head, rows })),
                Ok(_) => {}
                Err(StoreError::Damaged { what, .. }) => bad_snapshots.push((path, what)),
                Err(error) => return Err(error),
            }
        }
        let mut damage = None;
        for base in bases.into_iter().rev() {
            let from = base.as_ref().map_or(1, |base| base.head.frame + 1);
            let run = journal::frames::unbroken(&scanned, from);
            let found = Self {
                folder: folder.clone(),
                id: *id,
                base,
                frames: run,
                scanned: scanned.clone(),
                bad_snapshots: bad_snapshots.clone(),
            };
            // Enough is there if the frames run past the point, or to the known end.
            if found.last() >= acknowledged.max(1) || !in_time(found.last(), found.frames.time) {
                return Ok(found);
            }
            damage.get_or_insert((found.last(), found.base.is_some()));
        }
        let what = format!(
            "it does not go back to that point, or what followed is damaged (readable up to frame {})",
            damage.map_or(0, |(frame, _)| frame)
        );
        Err(StoreError::Unusable { place: folder.root.display().to_string(), what })
    }

    /// The last frame.
    pub(super) const fn last(&self) -> u64 {
        self.frames.last
    }

    /// The time of the last frame.
    pub(super) fn time(&self) -> u64 {
        self.frames.time.max(self.base.as_ref().map_or(0, |base| base.head.time))
    }

    /// The frame of the snapshot, 0 without one.
    pub(super) fn base_frame(&self) -> u64 {
        self.base.as_ref().map_or(0, |base| base.head.frame)
    }

    /// Every key's state after frame `upto`, in key order.
    pub(super) fn merge(&self, upto: u64) -> Result<Merge, StoreError> {
        self.merge_into(upto, &self.folder.snapshots().join("scratch"))
    }

    /// As [`Self::merge`], with temporary files in `scratch`.
    pub(super) fn merge_into(&self, upto: u64, scratch: &Path) -> Result<Merge, StoreError> {
        let base = match &self.base {
            Some(base) => Some(Reader::open(&base.path, Some(&self.id))?),
            None => None,
        };
        let mut frames = Frames::new(&self.frames, self.id, upto);
        Merge::new(base, &mut frames, scratch)
    }
}
