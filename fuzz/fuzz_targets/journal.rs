//! Journal segments: a good one with a few bytes changed, and frames of any content under good checksums.
//!
//! The first byte chooses the segment and the kind. Of a changed segment, what is found sound is what was written; only the
//! last frame, of which nobody was told, may be missing. Of frames with good checksums, what is found sound is what they say.
#![no_main]

use sessiond_fuzz::stored::{Contents, Folder, apply, edited, frame, take, take_up_to};
use std::sync::LazyLock;

static SEGMENTS: LazyLock<[Folder; 3]> = LazyLock::new(|| [0, 1, 2].map(Folder::journal));
/// Bytes before the first frame of a segment.
const HEADER: usize = 64;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((kind, data)) = data.split_first() else { return };
    match kind {
        b'0'..=b'2' => changed(&SEGMENTS[usize::from(kind - b'0')], data),
        _ => made(&SEGMENTS[2], data),
    }
});

fn changed(folder: &Folder, edits: &[u8]) {
    let bytes = edited(&folder.good, edits);
    let found = folder.check(&bytes);
    if !found.report.is_sound() {
        return;
    }
    let last = folder.states.len() - 1;
    let frame = usize::try_from(found.report.frame).expect("a small number");
    assert!(frame == last || frame + 1 == last, "frame {frame} was acknowledged, and is missing without a word");
    assert!(found.contents == folder.states[frame], "other records than were written, without a word");
    let is_torn = found.report.notes.iter().any(|note| note.starts_with("an unfinished write at the end"));
    let is_cut = bytes.len() < folder.good.len()
        || bytes.iter().rev().zip(folder.good.iter().rev()).any(|(a, b)| *a == 0 && *b != 0);
    assert!(frame == last || is_torn || is_cut, "the last frame is missing without a word");
}

/// The last segment, made anew: for each frame its kind, steps of number and time, length and body.
fn made(folder: &Folder, mut data: &[u8]) {
    let number_at = |at: usize| u64::from_le_bytes(folder.good[at..at + 8].try_into().expect("eight bytes"));
    // After magic, format and folder id.
    let first = number_at(28);
    let mut bytes = folder.good[..HEADER].to_vec();
    let mut contents: Contents = folder.states[usize::try_from(first - 1).expect("a small number")].clone();
    let (mut expected, mut is_whole, mut is_open) = (first, true, true);
    while let Some([kind, number, time, length]) = take(&mut data) {
        let body = take_up_to(&mut data, length.into());
        let number = expected.wrapping_add(u64::from(number));
        let kind = u32::from(kind) + 1;
        bytes.extend(frame(number, sessiond_fuzz::NOW.0 + u64::from(time), kind, body));
        is_whole &= is_open && number == expected && kind <= 2;
        if kind == 1 {
            is_whole &= apply(&mut contents, body).is_some();
            expected += 1;
        }
        is_open &= kind == 1;
    }
    let found = folder.check(&bytes);
    if found.report.is_sound() && is_whole {
        assert_eq!(found.report.frame, expected - 1);
        assert!(found.contents == contents, "other records than the frames say");
    }
    let acknowledged = u64::try_from(folder.states.len() - 2).expect("few frames");
    assert!(
        !found.report.is_sound() || found.report.frame >= acknowledged,
        "what was acknowledged is missing without a word"
    );
}
