//! Is there room on the disk for another write? Asked of the system now and then, not for every write.

use super::shared::Shared;
use std::time::{Duration, Instant};

/// How old the last answer about free space may be, in time and in bytes written since.
const SPACE_EVERY: Duration = Duration::from_millis(100);
const SPACE_EVERY_BYTES: usize = 256 << 10;

/// Keeps writes away from the last bytes of the disk, so that the index never meets a full one.
#[derive(Debug)]
pub(super) struct Space {
    checked: Option<Instant>,
    since: usize,
    enough: bool,
}

impl Default for Space {
    fn default() -> Self {
        Self { checked: None, since: 0, enough: true }
    }
}

impl Space {
    /// The disk has just refused a write.
    pub(super) const fn is_used_up(&mut self) {
        self.enough = false;
    }

    /// May so many bytes be written?
    pub(super) fn is_enough_for(&mut self, bytes: usize, shared: &Shared) -> bool {
        self.since += bytes;
        let old = |checked: Instant| checked.elapsed() >= SPACE_EVERY || self.since >= SPACE_EVERY_BYTES;
        if !self.enough || self.checked.is_none_or(old) {
            let enough = shared.has_space_for(bytes as u64);
            self.since = 0;
            if self.enough && !enough {
                tracing::error!(folder = %shared.folder.root.display(), "the disk is full: writes are refused");
            } else if !self.enough && enough {
                tracing::info!("there is space on the disk again: writes are accepted");
            }
            self.enough = enough;
            self.checked = Some(Instant::now());
        }
        self.enough
    }
}
