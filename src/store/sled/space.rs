//! Is there room on the disk for another write? The system is asked from time to time, not for every write.

use super::shared::SledShared;
use crate::store::StoreError;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

/// The maximum age of the last answer about free space, as a time and as bytes written since.
const SPACE_EVERY: Duration = Duration::from_millis(100);
const SPACE_EVERY_BYTES: usize = 256 << 10;

/// The reason nothing more can be written for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lack {
    /// The disk is full, or a quota is used up.
    DiskSpace,
    /// A file may not grow beyond the process's limit.
    FileSize,
}

impl Lack {
    /// What an OS error indicates was lacking; `None` for every other failure.
    pub(super) fn of(error: &std::io::Error) -> Option<Self> {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some(Self::DiskSpace),
            ErrorKind::FileTooLarge => Some(Self::FileSize),
            _ => None,
        }
    }

    /// The error that names the file or folder.
    pub(super) fn error(self, path: &Path) -> StoreError {
        let path = path.display().to_string();
        match self {
            Self::DiskSpace => StoreError::DiskFull { path },
            Self::FileSize => StoreError::FileSizeLimit { path },
        }
    }
}

/// Keeps writes away from the last bytes of the disk, so that the index never hits a full disk.
#[derive(Debug, Default)]
pub(super) struct Space {
    checked: Option<Instant>,
    since: usize,
    /// What is lacking.
    lack: Option<Lack>,
}

impl Space {
    /// Records that the system has just refused a write.
    pub(super) const fn mark_full(&mut self, lack: Lack) {
        self.lack = Some(lack);
    }

    /// What a write of this size lacks; `None` if there is room.
    pub(super) fn lack_for(&mut self, bytes: usize, shared: &SledShared) -> Option<Lack> {
        self.since += bytes;
        let old = |checked: Instant| checked.elapsed() >= SPACE_EVERY || self.since >= SPACE_EVERY_BYTES;
        if self.lack.is_some() || self.checked.is_none_or(old) {
            let lack = shared.lack_for(bytes as u64);
            self.since = 0;
            match (self.lack, lack) {
                (None, Some(lack)) => tracing::error!("{}", lack.error(&shared.folder.root)),
                (Some(_), None) => tracing::info!("there is space on the disk again: writes are accepted"),
                _ => {}
            }
            self.lack = lack;
            self.checked = Some(Instant::now());
        }
        self.lack
    }
}
