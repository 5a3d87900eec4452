//! Archives: the rows of one app in a file of their own. They have the form of a snapshot of the engine on disk.

pub use super::sled::archive::{ArchiveReader, ArchiveWriter};
