//! Log lines: their destination and format.
//!
//! Two sinks, as in the original: DEBUG and INFO go to the info log, WARN and ERROR to the error log. Without a path
//! they are stdout and stderr. Writers run on separate threads, so that a slow disk or terminal stalls no request.
//! Under a flood, lines are dropped rather than waited for, and their number is logged at the end.

use crate::config::{LogConfig, LogFormat, LogLevel};
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::writer::MakeWriterExt;
use tracing_subscriber::{Layer, Registry, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Maximum number of lines waiting for a slow writer. The channel's memory is allocated at the start, so this is small.
const WAITING_LINES: usize = 4096;

/// Keeps the writers alive. Dropping it writes the lines that are still waiting.
#[must_use = "log lines are lost once this is dropped"]
pub struct LogGuard {
    counters: [ErrorCounter; 2],
    files: LogFiles,
    _writers: [WorkerGuard; 2],
}

/// The log files of the process; none where lines go to the console.
#[derive(Clone, Default)]
pub struct LogFiles(Vec<LogFile>);

/// A file that can be reopened by name; clones write to the same file.
#[derive(Clone)]
struct LogFile {
    path: PathBuf,
    key: &'static str,
    file: Arc<Mutex<File>>,
}

/// Why logging could not start.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A log file cannot be opened.
    #[error("cannot open the log file {path}: {source}. Set {key} to a writable path, or to null for the console")]
    Open {
        /// The file.
        path: String,
        /// The setting for its path.
        key: &'static str,
        /// The OS error.
        source: io::Error,
    },
    /// Logging was already started in this process.
    #[error("logging has started already")]
    Twice,
}

/// Starts logging for the whole process.
///
/// # Errors
/// When a log file cannot be opened, or logging was already started.
pub fn start(settings: &LogConfig) -> Result<LogGuard, LogError> {
    let info_file = settings.info_path.as_deref().map(|path| LogFile::open(path, "info_log_path")).transpose()?;
    let error_file = settings.error_path.as_deref().map(|path| LogFile::open(path, "error_log_path")).transpose()?;
    let files = LogFiles(info_file.iter().chain(&error_file).cloned().collect());
    let (info, info_writer) = match info_file {
        Some(file) => sink(file),
        None => sink(io::stdout()),
    };
    let (error, error_writer) = match error_file {
        Some(file) => sink(file),
        None => sink(io::stderr()),
    };
    let colour = settings.info_path.is_none()
        && settings.error_path.is_none()
        && io::stdout().is_terminal()
        && io::stderr().is_terminal();
    let counters = [info.error_counter(), error.error_counter()];
    let writer = error.with_max_level(Level::WARN).or_else(info);
    let level = match settings.level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::None => LevelFilter::OFF,
    };
    // Libraries log only problems, our own modules as configured.
    let filter = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target(env!("CARGO_CRATE_NAME"), level);
    let lines = fmt::layer().with_writer(writer);
    let layer = match settings.format {
        LogFormat::Text => lines.with_ansi(colour).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    Registry::default().with(layer.with_filter(filter)).try_init().map_err(|_| LogError::Twice)?;
    Ok(LogGuard { counters, files, _writers: [info_writer, error_writer] })
}

impl LogGuard {
    /// The log files.
    #[must_use]
    pub fn files(&self) -> LogFiles {
        self.files.clone()
    }
}

impl LogFiles {
    /// Reopens each file, after it was moved away. If a file cannot be reopened, writing continues to the moved one.
    pub fn reopen(&self) {
        for log in &self.0 {
            match LogFile::open(&log.path, log.key) {
                Ok(fresh) => std::mem::swap(&mut *log.lock(), &mut *fresh.lock()),
                Err(error) => {
                    tracing::warn!(%error, "a log file could not be reopened; writing continues to the old one");
                }
            }
        }
    }

    /// Whether every line goes to the console.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl LogFile {
    fn open(path: &Path, key: &'static str) -> Result<Self, LogError> {
        Ok(Self { path: path.to_owned(), key, file: Arc::new(Mutex::new(open(path, key)?)) })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.lock().write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().flush()
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let dropped: usize = self.counters.iter().map(ErrorCounter::dropped_lines).sum();
        if dropped > 0 {
            tracing::warn!(dropped, "log lines were dropped because the writer could not keep up");
        }
    }
}

fn sink(writer: impl Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default().buffered_lines_limit(WAITING_LINES).thread_name("log").finish(writer)
}

fn open(path: &Path, key: &'static str) -> Result<File, LogError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| OpenOptions::new().create(true).append(true).open(path))
        .map_err(|source| LogError::Open { path: path.display().to_string(), key, source })
}
