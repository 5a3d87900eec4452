//! The files of an import: the users, read in steps, and the report.

use crate::domain::token_hash::hex;
use anyhow::{Context, Result};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Lines in one step; each step is one transaction.
const LINES_PER_STEP: usize = 500;
/// Bytes in one step.
const BYTES_PER_STEP: u64 = 1 << 20;
/// How many lines one counts for whose password has yet to be hashed.
const PLAIN_WEIGHT: usize = 50;
/// Longest line, in bytes.
const LINE_MAX: u64 = 1 << 20;

/// Where users are read from.
pub(super) struct Source {
    /// What is read.
    pub(super) reader: Hashed,
    /// Bytes to be read; 0 if nobody knows.
    pub(super) length: u64,
    /// Beside which the note and the report are: the file, or `stdin` in the working directory.
    pub(super) path: PathBuf,
    /// What messages call it.
    pub(super) shown: String,
}

impl Source {
    /// A file, or standard input for `-`.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        if path == Path::new("-") {
            let reader = Hashed::new(Box::new(io::stdin()));
            return Ok(Self { reader, length: 0, path: PathBuf::from("stdin"), shown });
        }
        let file = File::open(path).with_context(|| format!("reading {shown}"))?;
        let about = file.metadata()?;
        // Beside a pipe or a device there is no place for files of ours.
        let path = if about.is_file() { path.to_owned() } else { PathBuf::from("stdin") };
        Ok(Self { reader: Hashed::new(Box::new(file)), length: about.len(), path, shown })
    }
}

/// A reader, and the hash of what has been read from it.
pub(super) struct Hashed {
    reader: BufReader<Box<dyn Read>>,
    hash: Sha256,
}

impl Hashed {
    fn new(reader: Box<dyn Read>) -> Self {
        Self { reader: BufReader::new(reader), hash: Sha256::new() }
    }

    /// Reads so many bytes; false when there are fewer.
    pub(super) fn pass(&mut self, bytes: u64) -> io::Result<bool> {
        Ok(io::copy(&mut self.take(bytes), &mut io::sink())? == bytes)
    }

    /// SHA-256 of what has been read, in hex.
    pub(super) fn sha256(&self) -> String {
        hex(&self.hash.clone().finalize().into())
    }

    /// The same of nothing.
    pub(super) fn sha256_of_nothing() -> String {
        hex(&Sha256::new().finalize().into())
    }
}

impl Read for Hashed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        self.hash.update(into.get(..read).unwrap_or_default());
        Ok(read)
    }
}

impl BufRead for Hashed {
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
    /// Those with text.
    pub(super) lines: Vec<String>,
    /// Of each line in `lines`: its number inside the step, from 0.
    pub(super) numbers: Vec<u64>,
    /// Lines that are not for the server to judge: their numbers, and why.
    pub(super) refused: Vec<(u64, &'static str)>,
    /// Lines read, blank ones included.
    pub(super) count: u64,
    /// Bytes read.
    pub(super) bytes: u64,
}

impl Step {
    /// The next lines; `None` at the file's end.
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
            if read == LINE_MAX && !line.ends_with(b"\n") {
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

/// Reads to the line's end, but no further than [`LINE_MAX`].
fn part_of_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> Result<u64> {
    Ok(reader.by_ref().take(LINE_MAX).read_until(b'\n', line)? as u64)
}

/// Passes over the rest of a line; returns its length.
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

/// The lines that were not imported, one JSON object each. The file is made when there is one.
pub(super) struct Report {
    path: PathBuf,
    file: Option<File>,
    length: u64,
}

impl Report {
    /// A report of which `length` bytes count.
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

    /// Bytes so far.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// Where it is, if there is anything in it.
    pub(super) fn finish(self) -> Option<PathBuf> {
        self.file.is_some().then_some(self.path)
    }
}
