//! Archives: the rows of one app in a separate file. They have the format of a snapshot of the engine on disk.

pub use super::sled::archive::{ArchiveReader, ArchiveWriter};
