//! Verifies snapshots: is everything there that was written?

use super::{SnapshotHeader, SnapshotReader};
use crate::store::StoreError;
use crate::store::sled::folder::FolderId;
use crate::store::sled::journal::frames::WAY_OUT;
use std::path::Path;

/// Checks every block of a snapshot; returns its header and number of entries. Calls `pause` after each block.
pub(in crate::store::sled) fn verify(
    path: &Path,
    id: &FolderId,
    pause: &mut dyn FnMut() -> Result<(), StoreError>,
) -> Result<(SnapshotHeader, u64), StoreError> {
    let mut reader = SnapshotReader::open(path, Some(id))?;
    reader.skim(pause)?;
    Ok((reader.head, reader.rows_at_end()))
}

/// Checks every entry of a snapshot, which is decompressed and counted. Calls `pause` from time to time with the number
/// of entries so far.
pub(in crate::store::sled) fn verify_deeply(
    path: &Path,
    id: &FolderId,
    pause: &mut dyn FnMut(u64) -> Result<(), StoreError>,
) -> Result<(SnapshotHeader, u64), StoreError> {
    let mut reader = SnapshotReader::open(path, Some(id))?;
    let mut rows = 0;
    while reader.advance()? {
        rows += 1;
        if rows % 512 == 0 {
            pause(rows)?;
        }
    }
    if rows != reader.rows_at_end() {
        return Err(StoreError::Damaged {
            place: path.display().to_string(),
            what: format!("it holds {rows} entries instead of {}", reader.rows_at_end()),
            way_out: WAY_OUT.to_owned(),
        });
    }
    Ok((reader.head, rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sled::snapshot::{self, SnapshotEntry, SnapshotWriter};

    #[test]
    fn the_bytes_before_compression_are_those_of_the_entries() {
        let folder = tempfile::tempdir().unwrap();
        let path = snapshot::path(folder.path(), 7);
        let mut writer =
            SnapshotWriter::create(&path, &SnapshotHeader { id: FolderId::default(), frame: 7, time: 0 }).unwrap();
        let mut bytes = 0;
        for row in 0..5000_u32 {
            let (key, value) = (row.to_be_bytes(), vec![7; row as usize % 100]);
            let entry = SnapshotEntry { key: &key, frame: 1, value: (row % 5 > 0).then_some(&value) };
            writer.push(&entry).unwrap();
            bytes += entry.size();
        }
        writer.finish().unwrap();
        assert!(path.metadata().unwrap().len() < bytes / 2);
        assert_eq!(snapshot::unpacked_bytes(&path).unwrap(), bytes);
    }

    /// Both within a block and where one ends, both repeated keys and lower ones.
    #[test]
    fn entries_out_of_order_are_never_read_as_sound() {
        let large = vec![7; 80 << 10];
        for (value, keys) in [(&b"small"[..], ["a", "b", "b"]), (b"small", ["b", "c", "a"])]
            .into_iter()
            .chain([(large.as_slice(), ["a", "b", "b"]), (large.as_slice(), ["b", "c", "a"])])
        {
            let folder = tempfile::tempdir().unwrap();
            let path = snapshot::path(folder.path(), 7);
            let head = SnapshotHeader { id: FolderId::default(), frame: 7, time: 0 };
            let mut writer = SnapshotWriter::create(&path, &head).unwrap();
            for key in keys {
                writer.push(&SnapshotEntry { key: key.as_bytes(), frame: 1, value: Some(value) }).unwrap();
            }
            writer.finish().unwrap();
            let mut reader = SnapshotReader::open(&path, Some(&head.id)).unwrap();
            assert!(reader.advance().unwrap() && reader.advance().unwrap());
            let error = reader.advance().unwrap_err().to_string();
            assert!(error.contains("its entries are out of order"), "{error}");
            assert!(verify_deeply(&path, &head.id, &mut |_| Ok(())).is_err());
        }
    }
}
