//! What commands print: lines on stdout, JSON for scripts, progress on stderr if that is a terminal.

use super::moment;
use crate::control::Report;
use crate::control::WorkProgress;
use crate::control::upkeep::translated;
use crate::domain::text::count;
use crate::store::OnProgress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

/// Prints a line. A closed pipe (`| head`) is not an error.
pub(super) fn line(text: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Prints a line that is not part of the result: a note or a warning.
pub(super) fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints a value for a script: indented JSON.
pub(super) fn json(value: &impl Serialize) {
    // invariant: what commands print holds only serialisable data with string keys
    line(serde_json::to_string_pretty(value).unwrap_or_default());
}

/// A progress bar on stderr; silent when that is not a terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar that appears with the first progress.
    pub(super) fn new() -> Self {
        let target =
            if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self(ProgressBar::with_draw_target(None, target))
    }

    /// Shows how far the work has got, and disappears when it is complete.
    pub(super) fn show(&self, progress: WorkProgress) {
        if progress.total > 0 && progress.done >= progress.total {
            self.0.finish_and_clear();
            return;
        }
        if self.0.is_finished() {
            self.0.reset();
        }
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

/// A bar for long work in a store.
pub(super) fn bar() -> Report {
    let bar = Bar::new();
    Arc::new(move |progress| bar.show(progress))
}

/// A bar for what a store does while it is being opened.
pub(super) fn opening() -> OnProgress {
    Arc::new(translated(&bar()))
}

/// Rows under headings, each column as wide as its widest text.
pub(super) fn table<const N: usize>(headings: [&str; N], rows: Vec<[String; N]>) {
    let headings = headings.map(str::to_owned);
    let mut widths = [0; N];
    for row in std::iter::once(&headings).chain(&rows) {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = text.chars().count().max(*width);
        }
    }
    for row in std::iter::once(headings).chain(rows) {
        let cells: Vec<String> = row.iter().zip(widths).map(|(text, width)| format!("{text:<width$}")).collect();
        line(cells.join("  ").trim_end());
    }
}

/// A byte count, formatted for people.
pub(super) fn size(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// An array in an answer.
pub(super) fn rows<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text in an answer; empty when there is none.
pub(super) fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A value without the quotes that JSON puts around text.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A moment (ms since 1970) in an answer, as UTC; `-` when there is none.
pub(super) fn moment(answer: &Value, name: &str) -> String {
    answer.get(name).and_then(Value::as_u64).map_or_else(|| "-".to_owned(), moment::show)
}

/// How many of something there are by an answer, whose member has the plural's name.
pub(super) fn counted(answer: &Value, noun: &str) -> String {
    count(number(answer, &format!("{noun}s")), noun)
}

/// A number in an answer; 0 when there is none.
pub(super) fn number(answer: &Value, name: &str) -> u64 {
    answer.get(name).and_then(Value::as_u64).unwrap_or(0)
}
