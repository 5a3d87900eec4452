//! The journal: append-only segments of numbered, checksummed frames. It is the truth; the index is derived from it.

pub(super) mod frame;
pub(super) mod frames;
pub(super) mod segment;
pub(super) mod writer;

pub(super) use frames::{Coverage, Frames, coverage, scan};
pub(super) use writer::{AppendError, JournalWriter};
