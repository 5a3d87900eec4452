//! Snapshots: a good one with a few bytes changed, and blocks of any content under good checksums.
//!
//! Of a changed snapshot, what is found sound is what was written. Of blocks with good checksums, what is found sound has its
//! entries in order and is what they say.
#![no_main]

use sessiond_fuzz::stored::{Contents, Folder, edited, snapshot, take, take_up_to};
use std::sync::LazyLock;

static FOLDER: LazyLock<Folder> = LazyLock::new(Folder::snapshot);
/// Bytes before the first block.
const HEADER: usize = 64;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    match data.split_first() {
        Some((b'c', edits)) => changed(edits),
        Some((b'b', data)) => made(data),
        _ => {}
    }
});

fn changed(edits: &[u8]) {
    let found = FOLDER.check(&edited(&FOLDER.good, edits));
    if found.report.is_sound() {
        let frame = usize::try_from(found.report.frame).expect("a small number");
        assert_eq!(frame, FOLDER.states.len() - 1, "a frame is missing without a word");
        assert!(found.contents == FOLDER.states[frame], "other records than were written, without a word");
    }
}

/// For each block: whether it is compressed here or stands as it is, a length, and that many bytes.
fn made(mut data: &[u8]) {
    let Some([rows]) = take(&mut data) else { return };
    let (mut blocks, mut entries) = (Vec::new(), Vec::new());
    while let Some([raw, low, high]) = take(&mut data) {
        let bytes = take_up_to(&mut data, u16::from_le_bytes([low, high]).into());
        if raw % 4 == 0 {
            blocks.push((u32::from(raw) << 8, bytes.to_vec()));
        } else {
            blocks.push((u32::try_from(bytes.len()).expect("a short block"), lz4_flex::block::compress(bytes)));
            entries.extend_from_slice(bytes);
        }
    }
    let found = FOLDER.check(&snapshot(&FOLDER.good[..HEADER], &blocks, rows.into()));
    // All that is sound is in order, and every record has its checksum.
    if found.report.is_sound() {
        let mut written = Contents::new();
        let mut rest = entries.as_slice();
        while let Some((key, value)) = next(&mut rest) {
            written.extend(value.map(|value| (key, value)));
        }
        let untouched = found.contents.iter().filter(|(key, _)| written.contains_key(*key));
        let changed = FOLDER.states.last().expect("a state");
        for (key, value) in untouched {
            assert!(written[key] == *value || changed.get(key) == Some(value), "another value than was written");
        }
    }
}

fn next(data: &mut &[u8]) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    let key = u16::from_le_bytes(take(data)?);
    let _frame: [u8; 8] = take(data)?;
    let value = u32::from_le_bytes(take(data)?);
    let key = take_up_to(data, key.into()).to_vec();
    Some((key, (value != u32::MAX).then(|| take_up_to(data, usize::try_from(value).unwrap_or(usize::MAX)).to_vec())))
}
