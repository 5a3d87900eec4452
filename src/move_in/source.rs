//! [`Source`]: a dump of any form that can be read again and again, as plain text.

use super::dump::{DumpError, DumpReader};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Bytes read at once.
const BUFFER: usize = 256 << 10;

/// A dump in a file.
#[derive(Debug, Clone)]
pub struct Source {
    path: PathBuf,
    form: Form,
}

/// The form of a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Plain text.
    Plain,
    /// Plain text, compressed with gzip.
    Gzip,
    /// One of the other forms of `pg_dump` (custom, tar, directory), which `pg_restore` turns into plain text.
    Archive,
}

/// What a dump is read from.
pub type Input = Box<dyn BufRead + Send>;

impl Source {
    /// Looks at the beginning of a dump to learn its form.
    ///
    /// # Errors
    /// When it cannot be read, or is not a dump.
    pub fn open(path: &Path) -> Result<Self, DumpError> {
        let form = if path.is_dir() { Form::Archive } else { Form::of(&beginning(path)?)? };
        Ok(Self { path: path.to_owned(), form })
    }

    /// Copies a dump from a stream into a private file, so that it can be read again.
    ///
    /// # Errors
    /// When the stream or the file fails.
    pub fn spool(mut from: impl Read, mut to: File, path: &Path) -> Result<Self, DumpError> {
        io::copy(&mut from, &mut to)?;
        to.flush()?;
        Self::open(path)
    }

    /// A reader at the beginning of the dump.
    ///
    /// # Errors
    /// When the file cannot be opened, or `pg_restore` is needed and not installed.
    pub fn read(&self) -> Result<DumpReader<Input>, DumpError> {
        let input: Input = match self.form {
            Form::Plain => Box::new(BufReader::with_capacity(BUFFER, File::open(&self.path)?)),
            Form::Gzip => Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(File::open(&self.path)?))),
            Form::Archive => Box::new(BufReader::with_capacity(BUFFER, Converted::start(&self.path)?)),
        };
        Ok(DumpReader::new(input))
    }
}

impl Form {
    fn of(beginning: &[u8]) -> Result<Self, DumpError> {
        match beginning {
            [0x1F, 0x8B, ..] => Ok(Self::Gzip),
            [b'P', b'G', b'D', b'M', b'P', ..] => Ok(Self::Archive),
            _ if beginning.starts_with(b"toc.dat\0") => Ok(Self::Archive),
            [0x28, 0xB5, 0x2F, 0xFD, ..] => {
                Err(unusable("it is compressed with zstd: pipe it in with zstd -dc FILE | sessiond move in -"))
            }
            _ if beginning.contains(&0) => Err(unusable("it is not a dump of pg_dump")),
            _ => Ok(Self::Plain),
        }
    }
}

fn beginning(path: &Path) -> Result<Vec<u8>, DumpError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(512).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unusable(what: &str) -> DumpError {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned()).into()
}

/// The output of `pg_restore`.
struct Converted {
    process: Child,
    output: ChildStdout,
}

impl Converted {
    fn start(path: &Path) -> Result<Self, DumpError> {
        let mut command = Command::new("pg_restore");
        command.arg("--file=-").arg(path).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut process = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => unusable(
                "this form of dump is read by pg_restore, which is not installed: install PostgreSQL's client programs, \
                 or make a plain dump (pg_dump --format=plain)",
            ),
            _ => error.into(),
        })?;
        let output = process.stdout.take().ok_or_else(|| unusable("pg_restore has no output"))?;
        Ok(Self { process, output })
    }
}

impl Read for Converted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.output.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            let status = self.process.wait()?;
            if !status.success() {
                return Err(io::Error::other(format!("pg_restore failed ({status})")));
            }
        }
        Ok(read)
    }
}

impl Drop for Converted {
    fn drop(&mut self) {
        // A reader that stops early closes the pipe; the process must not outlive it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
