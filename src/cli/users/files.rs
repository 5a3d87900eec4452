//! The files of an import: the users, read in steps, and the report.

use crate::domain::token_hash::hex;
use anyhow::{Context, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The most lines in one step; each step is one transaction.
const LINES_PER_STEP: usize = 500;
/// The most bytes in one step.
const BYTES_PER_STEP: u64 = 1 << 20;
/// How many lines a line counts for if its password has yet to be hashed.
const PLAIN_WEIGHT: usize = 50;
/// Longest line, in bytes.
const MAX_LINE: u64 = 1 << 20;

/// Where users are read from.
pub(super) struct Source {
    /// The reader of the users, which hashes what it reads.
    pub(super) reader: HashingReader,
    /// Number of bytes to read; 0 if unknown.
    pub(super) length: u64,
    /// The path that the paths of the note and the report extend: the file, or `stdin` in the working directory.
    pub(super) path: PathBuf,
    /// The source's name in messages.
    pub(super) shown: String,
}

impl Source {
    /// A file, or standard input for `-`.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        if path == Path::new("-") {
            let reader = HashingReader::new(Box::new(io::stdin()));
            return Ok(Self { reader, length: 0, path: PathBuf::from("stdin"), shown });
        }
        let file = File::open(path).with_context(|| format!("reading {shown}"))?;
        let about = file.metadata()?;
        // Files of ours cannot be put next to a pipe or a device.
        let path = if about.is_file() { path.to_owned() } else { PathBuf::from("stdin") };
        Ok(Self { reader: HashingReader::new(Box::new(file)), length: about.len(), path, shown })
    }
}

/// A reader that hashes what has been read from it.
pub(super) struct HashingReader {
    reader: BufReader<Box<dyn Read>>,
    hash: Sha256,
}

impl HashingReader {
    fn new(reader: Box<dyn Read>) -> Self {
        Self { reader: BufReader::new(reader), hash: Sha256::new() }
    }

    /// Reads this many bytes; false when there are fewer.
    pub(super) fn skip(&mut self, bytes: u64) -> io::Result<bool> {
        Ok(io::copy(&mut self.take(bytes), &mut io::sink())? == bytes)
    }

    /// SHA-256 of what has been read, in hex.
    pub(super) fn sha256(&self) -> String {
        hex(&self.hash.clone().finalize().into())
    }

    /// SHA-256 of no bytes, in hex.
    pub(super) fn sha256_of_nothing() -> String {
        hex(&Sha256::new().finalize().into())
    }
}

impl Read for HashingReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        self.hash.update(into.get(..read).unwrap_or_default());
        Ok(read)
    }
}

impl BufRead for HashingReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.hash.update(self.reader.buffer().get(..amount).unwrap_or_default());
        self.reader.consume(amount);
    }
}

/// Some lines of the file.
pub(super) struct Step {
    /// The lines that are not blank.
    pub(super) lines: Vec<String>,
    /// For each line in `lines`, its number within the step, from 0.
    pub(super) numbers: Vec<u64>,
    /// Lines refused without asking the server: their numbers, and why.
    pub(super) refused: Vec<(u64, &'static str)>,
    /// Lines read, blank ones included.
    pub(super) count: u64,
    /// Bytes read.
    pub(super) bytes: u64,
}

impl Step {
    /// The next lines; `None` at the end of the file.
    pub(super) fn read(reader: &mut impl BufRead) -> Result<Option<Self>> {
        let mut step = Self { lines: Vec::new(), numbers: Vec::new(), refused: Vec::new(), count: 0, bytes: 0 };
        let mut weight = 0;
        while weight < LINES_PER_STEP && step.bytes < BYTES_PER_STEP {
            let mut line = Vec::new();
            let read = part_of_line(reader, &mut line)?;
            if read == 0 {
                break;
            }
            let number = step.count;
            (step.bytes, step.count, weight) = (step.bytes + read, step.count + 1, weight + 1);
            if read == MAX_LINE && !line.ends_with(b"\n") {
                step.bytes += skip_line(reader)?;
                step.refused.push((number, "the line is too long"));
                continue;
            }
            let Ok(text) = std::str::from_utf8(&line) else {
                step.refused.push((number, "the line is not UTF-8"));
                continue;
            };
            let text = text.trim_start_matches('\u{feff}').trim();
            if text.is_empty() {
                continue;
            }
            if text.contains("\"plaintextPassword\"") {
                weight += PLAIN_WEIGHT - 1;
            }
            step.lines.push(text.to_owned());
            step.numbers.push(number);
        }
        Ok((step.count > 0).then_some(step))
    }
}

/// Reads to the end of the line, but no further than [`MAX_LINE`].
fn part_of_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> Result<u64> {
    Ok(reader.by_ref().take(MAX_LINE).read_until(b'\n', line)? as u64)
}

/// Skips the rest of a line; returns its length.
fn skip_line(reader: &mut impl BufRead) -> Result<u64> {
    let mut skipped = 0;
    loop {
        let mut rest = Vec::new();
        let read = part_of_line(reader, &mut rest)?;
        skipped += read;
        if read == 0 || rest.ends_with(b"\n") {
            return Ok(skipped);
        }
    }
}

/// The lines that were not imported, one JSON object each. The file is created with the first of them.
pub(super) struct Report {
    path: PathBuf,
    file: Option<File>,
    length: u64,
}

impl Report {
    /// A report of which the first `length` bytes are valid.
    pub(super) fn open(path: PathBuf, length: u64) -> Result<Self> {
        if length == 0 {
            let _ = fs::remove_file(&path);
            return Ok(Self { path, file: None, length });
        }
        let opened = OpenOptions::new().write(true).open(&path);
        let mut file = opened.with_context(|| format!("opening {}", path.display()))?;
        file.set_len(length)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { path, file: Some(file), length })
    }

    pub(super) fn add(&mut self, row: &Value) -> Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => File::create(&self.path).with_context(|| format!("writing {}", self.path.display()))?,
        };
        let line = format!("{row}\n");
        file.write_all(line.as_bytes())?;
        self.length += line.len() as u64;
        self.file = Some(file);
        Ok(())
    }

    /// Its length so far, in bytes.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// Its path, if it holds anything.
    pub(super) fn finish(self) -> Option<PathBuf> {
        self.file.is_some().then_some(self.path)
    }
}
