//! Reading the journal as one sequence of frames, and classifying what is wrong with it.

use super::segment::{self, SegmentItem, SegmentReader, Timing};
use crate::store::StoreError;
use crate::store::sled::folder::FolderId;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// What one segment holds.
#[derive(Debug, Clone)]
pub(in crate::store::sled) struct Scanned {
    pub(in crate::store::sled) path: PathBuf,
    /// Number of its first frame (or the one it would have).
    pub(in crate::store::sled) first: u64,
    /// Number of the frame after its last good one.
    pub(in crate::store::sled) next: u64,
    /// Byte offset of the end of its good frames.
    pub(in crate::store::sled) end: u64,
    /// Time of its last good frame.
    pub(in crate::store::sled) time: u64,
    /// The times in its header; `None` if the header cannot be read.
    pub(in crate::store::sled) timing: Option<Timing>,
    /// The way it ends.
    pub(in crate::store::sled) ending: Ending,
}

/// The way a segment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::sled) enum Ending {
    /// With its seal.
    Sealed,
    /// With zeros.
    Blank,
    /// With anything else; names the defect.
    Bad(&'static str),
    /// Its header cannot be read, so nothing in it is trusted.
    Unreadable(&'static str),
}

/// Reads every segment that does not start after frame `until`, and checks every frame. Calls `frame` with the number
/// and time of each good one.
pub(in crate::store::sled) fn scan(
    directory: &Path,
    id: &FolderId,
    until: u64,
    progress: &dyn Fn(u64),
    frame: &mut dyn FnMut(&Scanned, u64, u64),
) -> Result<Vec<Scanned>, StoreError> {
    let mut found = Vec::new();
    let mut body = Vec::new();
    for (first, path) in segment::list(directory)?.into_iter().filter(|(first, _)| *first <= until) {
        let mut scanned = Scanned { path, first, next: first, end: 0, time: 0, timing: None, ending: Ending::Blank };
        match SegmentReader::open(&scanned.path, Some(id), first)? {
            Err(what) => scanned.ending = Ending::Unreadable(what),
            Ok(mut reader) => {
                scanned.timing = Some(reader.timing);
                scanned.ending = loop {
                    match reader.step(&mut body)? {
                        SegmentItem::Frame { number, time } => {
                            frame(&scanned, number, time);
                            scanned.time = time;
                            progress(reader.offset);
                        }
                        SegmentItem::Sealed => break Ending::Sealed,
                        SegmentItem::Blank => break Ending::Blank,
                        SegmentItem::Bad(what) => break Ending::Bad(what),
                    }
                    scanned.end = reader.offset;
                };
                scanned.end = scanned.end.max(segment::HEADER as u64);
                scanned.next = reader.next;
            }
        }
        found.push(scanned);
    }
    Ok(found)
}

/// An unbroken run of frames.
#[derive(Debug, Clone)]
pub(in crate::store::sled) struct Coverage {
    /// The first frame requested.
    pub(in crate::store::sled) from: u64,
    /// Last frame; `from - 1` if there is none.
    pub(in crate::store::sled) last: u64,
    /// The segments that hold the frames, in order.
    pub(in crate::store::sled) segments: Vec<(u64, PathBuf)>,
    /// What was cut off at the end: the write in progress when the process or the power failed.
    pub(in crate::store::sled) torn: Option<String>,
    /// Time of the last frame; 0 if there is none.
    pub(in crate::store::sled) time: u64,
}

/// The frames from `from` on, if they are complete; `acknowledged` is the last one that is known to have existed.
///
/// The inner error names the damage.
pub(in crate::store::sled) fn coverage(
    scanned: &[Scanned],
    from: u64,
    acknowledged: u64,
) -> Result<Result<Coverage, Damage>, StoreError> {
    let mut run = Coverage { from, last: from.saturating_sub(1), segments: Vec::new(), torn: None, time: 0 };
    for (place, segment) in scanned.iter().enumerate() {
        let following = scanned.get(place + 1);
        let is_last = following.is_none();
        if following.is_some_and(|following| following.first <= from) {
            continue;
        }
        if segment.first > run.last + 1 {
            let what = format!("frames {} to {} are missing before it", run.last + 1, segment.first - 1);
            return Ok(Err(Damage { place: segment.path.clone(), what }));
        }
        if segment.next > run.last + 1 {
            run.last = segment.next - 1;
            run.time = segment.time;
        }
        if segment.next > segment.first {
            run.segments.push((segment.first, segment.path.clone()));
        }
        let complete = following.is_some_and(|following| following.first == segment.next);
        let trouble = match segment.ending {
            Ending::Sealed | Ending::Blank => None,
            Ending::Bad(what) | Ending::Unreadable(what) => Some(what),
        };
        if complete || (trouble.is_none() && is_last) {
            continue;
        }
        let what = match trouble {
            None => format!("it ends after frame {}, the next segment starts later", run.last),
            Some(what) => format!("{what} (at byte {}, after frame {})", segment.end, run.last),
        };
        let later = !is_last || segment::recognise(&segment.path, segment.end)?.iter().any(|(n, ..)| *n > run.last);
        if later {
            return Ok(Err(Damage { place: segment.path.clone(), what }));
        }
        if run.last < acknowledged {
            let what = format!("{what}, but frame {acknowledged} was acknowledged {COPIED}");
            return Ok(Err(Damage { place: segment.path.clone(), what }));
        }
        run.torn = Some(format!("{}: {what}", segment.path.display()));
    }
    if run.last < acknowledged {
        let place = scanned.last().map_or_else(PathBuf::new, |segment| segment.path.clone());
        let what =
            format!("the journal ends with frame {}, but frame {acknowledged} was acknowledged {COPIED}", run.last);
        return Ok(Err(Damage { place, what }));
    }
    Ok(Ok(run))
}

/// The frames from `from` on, as far as they are consecutive; anything after that does not matter.
pub(in crate::store::sled) fn unbroken(scanned: &[Scanned], from: u64) -> Coverage {
    let mut run = Coverage { from, last: from.saturating_sub(1), segments: Vec::new(), torn: None, time: 0 };
    for segment in scanned.iter().filter(|segment| segment.next > from) {
        if segment.first > run.last + 1 {
            break;
        }
        if segment.next > run.last + 1 {
            run.last = segment.next - 1;
            run.time = segment.time;
        }
        run.segments.push((segment.first, segment.path.clone()));
    }
    run
}

/// What is wrong, and in which place.
#[derive(Debug, Clone)]
pub(in crate::store::sled) struct Damage {
    pub(in crate::store::sled) place: PathBuf,
    pub(in crate::store::sled) what: String,
}

impl Damage {
    /// The same damage, located in `folder` if it does not belong to a single file.
    pub(in crate::store::sled) fn at(mut self, folder: &Path) -> Self {
        if self.place.as_os_str().is_empty() {
            folder.clone_into(&mut self.place);
        }
        self
    }

    /// Converts the damage into an error with advice.
    pub(in crate::store::sled) fn error(self) -> StoreError {
        StoreError::Damaged { place: self.place.display().to_string(), what: self.what, way_out: WAY_OUT.to_owned() }
    }
}

/// What an operator can do if snapshot and journal do not suffice.
pub(in crate::store::sled) const WAY_OUT: &str =
    "Restore a backup with `sessiond restore`, or collect what is readable with `sessiond salvage`";

/// The most likely reason for a journal that ends too early.
pub(in crate::store::sled) const COPIED: &str = "(most likely the folder was copied while its server ran: then `sessiond \
     salvage` loses only what was written during the copy, and `sessiond backup` copies without loss)";

/// Reads the frames of a coverage in order.
#[derive(Debug)]
pub(in crate::store::sled) struct Frames {
    segments: VecDeque<(u64, PathBuf)>,
    id: FolderId,
    current: Option<(PathBuf, SegmentReader)>,
    from: u64,
    last: u64,
    time: u64,
}

impl Frames {
    /// Creates a reader of the frames `run.from` to `last`.
    pub(in crate::store::sled) fn new(run: &Coverage, id: FolderId, last: u64) -> Self {
        Self {
            segments: run.segments.clone().into(),
            id,
            current: None,
            from: run.from,
            last: last.min(run.last),
            time: 0,
        }
    }

    /// Time of the last frame read.
    pub(in crate::store::sled) const fn time(&self) -> u64 {
        self.time
    }

    /// Reads the next frame and returns its number and time; `body` receives its writes.
    pub(in crate::store::sled) fn next(&mut self, body: &mut Vec<u8>) -> Result<Option<(u64, u64)>, StoreError> {
        while self.from <= self.last {
            let (path, mut reader) = match self.current.take() {
                Some(current) => current,
                None => {
                    let Some((first, path)) = self.segments.pop_front() else { break };
                    let reader = SegmentReader::open(&path, Some(&self.id), first)?;
                    let reader =
                        reader.map_err(|what| Damage { place: path.clone(), what: what.to_owned() }.error())?;
                    (path, reader)
                }
            };
            match reader.step(body)? {
                SegmentItem::Frame { number, .. } if number < self.from => self.current = Some((path, reader)),
                SegmentItem::Frame { number, time } => {
                    self.from = number + 1;
                    self.time = time;
                    self.current = Some((path, reader));
                    return Ok(Some((number, time)));
                }
                SegmentItem::Sealed | SegmentItem::Blank | SegmentItem::Bad(_) if !self.segments.is_empty() => {}
                _ => break,
            }
        }
        if self.from <= self.last {
            let place = self.current.take().map_or_else(PathBuf::new, |(path, _)| path);
            return Err(Damage { place, what: format!("frame {} is no longer there", self.from) }.error());
        }
        Ok(None)
    }
}
