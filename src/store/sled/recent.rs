//! Recent writes, so that most commits can be checked without reading the index.
//!
//! Keys are remembered as 64-bit hashes. Two keys with the same hash only cost an unnecessary lookup in the index.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Entries per generation; two are kept.
const GENERATION: usize = 16 << 10;

/// Key hash to the last frame that wrote it, for all frames after [`RecentWrites::complete_after`].
#[derive(Debug, Default)]
pub(super) struct RecentWrites {
    young: HashMap<u64, u64, BuildHasherDefault<Already>>,
    old: HashMap<u64, u64, BuildHasherDefault<Already>>,
    young_since: u64,
    complete_after: u64,
    /// The frame of the last write.
    frame: u64,
}

impl RecentWrites {
    /// Creates a memory that knows nothing of frames up to `last`.
    pub(super) fn new(last: u64) -> Self {
        Self { young_since: last, complete_after: last, frame: last, ..Self::default() }
    }

    /// The frame after which every write is remembered.
    pub(super) const fn complete_after(&self) -> u64 {
        self.complete_after
    }

    /// The last frame that wrote a key with this hash, if remembered.
    pub(super) fn last_write(&self, hash: u64) -> Option<u64> {
        self.young.get(&hash).or_else(|| self.old.get(&hash)).copied()
    }

    /// Remembers a write of `frame`. A generation grows until its last frame is complete: a transaction of the frame
    /// being made must find everything that others have put into it, however much that is.
    pub(super) fn remember(&mut self, hash: u64, frame: u64) {
        if self.young.len() >= GENERATION && frame != self.frame {
            self.complete_after = self.young_since;
            self.young_since = frame.saturating_sub(1);
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, frame);
        self.frame = frame;
    }
}

/// A hasher for keys that are hashes already.
#[derive(Debug, Default)]
pub(super) struct Already(u64);

impl Hasher for Already {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _bytes: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_write_of_the_frame_being_made_is_forgotten() {
        let mut recent = RecentWrites::new(6);
        let many = 3 * GENERATION as u64;
        for hash in 0..many {
            recent.remember(hash, 7);
        }
        assert!((0..many).all(|hash| recent.last_write(hash) == Some(7)));
        assert_eq!(recent.complete_after(), 6);
    }

    #[test]
    fn what_is_forgotten_lies_before_what_is_complete() {
        let mut recent = RecentWrites::new(0);
        for frame in 1..=3 * GENERATION as u64 {
            recent.remember(frame, frame);
        }
        assert!(recent.young.len() <= GENERATION && recent.old.len() <= GENERATION);
        let known = |frame: u64| recent.last_write(frame) == Some(frame);
        assert!((recent.complete_after() + 1..=3 * GENERATION as u64).all(known));
        assert!(!known(1));
    }
}
