//! What commands print: lines on stdout, JSON for scripts, progress on stderr when a person watches.

use crate::control::Progress;
use crate::store::sled::OnProgress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

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

    /// Shows how far the work has come, and goes away when it has come to its end.
    pub(super) fn show(&self, progress: Progress) {
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

/// A bar for what a store does while it is opened.
pub(super) fn opening() -> OnProgress {
    let bar = Bar::new();
    Arc::new(move |now| bar.show(Progress { doing: now.stage.to_owned(), done: now.done, total: now.total }))
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// An array inside an answer.
pub(super) fn rows<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text inside an answer; empty when there is none.
pub(super) fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A value without the quotes that JSON puts around text.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A moment (ms since 1970) inside an answer as UTC; `-` when there is none.
pub(super) fn moment(answer: &Value, name: &str) -> String {
    answer.get(name).and_then(Value::as_u64).map_or_else(|| "-".to_owned(), utc)
}

/// Milliseconds since 1970 as `YYYY-MM-DD hh:mm:ss.mmmZ`.
fn utc(ms: u64) -> String {
    let (days, in_day) = (ms / 86_400_000, ms % 86_400_000);
    let (hour, minute) = (in_day / 3_600_000, in_day / 60_000 % 60);
    let (second, millis) = (in_day / 1000 % 60, in_day % 1000);
    // Civil from days: years begin in March, so that the leap day is a year's last.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn moments_are_written_as_utc_dates() {
        assert_eq!(utc(0), "1970-01-01 00:00:00.000Z");
        assert_eq!(utc(951_782_400_123), "2000-02-29 00:00:00.123Z");
        assert_eq!(utc(1_709_251_199_999), "2024-02-29 23:59:59.999Z");
        assert_eq!(utc(4_102_444_800_000), "2100-01-01 00:00:00.000Z");
    }
}
