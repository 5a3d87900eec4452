//! What commands print: lines on stdout, JSON for scripts, progress on stderr when a person watches.

use crate::control::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

/// Prints a line. A closed pipe (`| head`) is not an error of ours.
pub(super) fn line(text: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Prints a line beside the result: notes, warnings.
pub(super) fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints a value for a script: indented JSON.
pub(super) fn json(value: &impl Serialize) {
    // invariant: what commands print holds only serialisable data with string keys
    line(serde_json::to_string_pretty(value).unwrap_or_default());
}

/// A progress bar on stderr; silent when that is no terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar that shows itself with the first progress.
    pub(super) fn new() -> Self {
        let target =
            if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self(ProgressBar::with_draw_target(None, target))
    }

    /// Shows how far the work has come.
    pub(super) fn show(&self, progress: Progress) {
        let template = if progress.total > 0 { "{msg} [{bar:30}] {pos}/{len} {eta}" } else { "{spinner} {msg} {pos}" };
        if self.0.length() != Some(progress.total).filter(|total| *total > 0) {
            // invariant: both templates are valid
            self.0.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
            if progress.total > 0 {
                self.0.set_length(progress.total);
            }
        }
        self.0.set_position(progress.done);
        self.0.set_message(progress.doing);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
