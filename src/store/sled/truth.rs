//! What the store holds, according to snapshot and journal: the newest good snapshot and an unbroken run of frames after
//! it. The index is not asked.

use super::Progress;
use super::folder::{Folder, FolderId};
use super::journal::frames::{Coverage, Scanned};
use super::journal::{self, Frames};
use super::merge::Merge;
use super::snapshot::{self, Head, Reader};
use crate::store::StoreError;
use std::path::PathBuf;

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
    ///
    /// # Errors
    /// [`StoreError::Damaged`] names what is missing when no snapshot with an unbroken run of frames is left.
    pub(super) fn find(
        folder: &Folder,
        id: &FolderId,
        acknowledged: u64,
        progress: &dyn Fn(Progress),
    ) -> Result<Self, StoreError> {
        let scanned = journal::scan(&folder.journal(), id, &|done| {
            progress(Progress { stage: "reading the journal", done, total: 0 });
        })?;
        let mut bad_snapshots = Vec::new();
        let mut first_damage = None;
        for (_, path) in snapshot::list(&folder.snapshots())?.into_iter().rev() {
            let (head, rows) = match snapshot::verify(&path, id) {
                Ok(good) => good,
                Err(error @ StoreError::Damaged { .. }) => {
                    bad_snapshots.push((path, error.to_string()));
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
                || first_damage.unwrap_or(damage).error(),
                |(path, what)| journal::frames::Damage { place: path, what }.error(),
            )),
        }
    }

    /// The last frame.
    pub(super) const fn last(&self) -> u64 {
        self.frames.last
    }

    /// The frame of the snapshot, 0 without one.
    pub(super) fn base_frame(&self) -> u64 {
        self.base.as_ref().map_or(0, |base| base.head.frame)
    }

    /// Every key's state after frame `upto`, in key order.
    pub(super) fn merge(&self, upto: u64) -> Result<Merge, StoreError> {
        let base = match &self.base {
            Some(base) => Some(Reader::open(&base.path, Some(&self.id))?),
            None => None,
        };
        let mut frames = Frames::new(&self.frames, self.id, upto);
        Merge::new(base, &mut frames, &self.folder.snapshots().join("scratch"))
    }
}
