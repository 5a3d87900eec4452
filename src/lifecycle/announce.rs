//! Lines that people and scripts wait for; they are printed whatever the log level and the destination of logs.

use crate::config::{LogConfig, LogFormat};
use serde_json::json;
use std::fmt::Display;
use std::io::{self, Write};

/// Prints start, stop and crash lines in the format of the log, and also to the log when that is not the console.
#[derive(Debug, Clone, Copy)]
pub(super) struct Announcer {
    json: bool,
    info_in_file: bool,
    error_in_file: bool,
}

impl Announcer {
    /// For a process that has not read its settings yet.
    pub(super) const fn plain() -> Self {
        Self { json: false, info_in_file: false, error_in_file: false }
    }

    /// For a process that logs with these settings.
    pub(super) fn new(log: &LogConfig) -> Self {
        Self {
            json: matches!(log.format, LogFormat::Json),
            info_in_file: log.info_path.is_some(),
            error_in_file: log.error_path.is_some(),
        }
    }

    /// Prints to stdout.
    pub(super) fn say(self, text: impl Display) {
        let line = self.line("INFO", &text);
        let _ = writeln!(io::stdout().lock(), "{line}");
        if self.info_in_file {
            tracing::info!("{text}");
        }
    }

    /// Prints to stderr.
    pub(super) fn error(self, text: impl Display) {
        let line = self.line("ERROR", &text);
        let _ = writeln!(io::stderr().lock(), "{line}");
        if self.error_in_file {
            tracing::error!("{text}");
        }
    }

    fn line(self, level: &str, text: &impl Display) -> String {
        if self.json { json!({ "level": level, "message": text.to_string() }).to_string() } else { text.to_string() }
    }
}
