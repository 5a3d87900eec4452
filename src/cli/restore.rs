//! `sessiond restore`: a fresh folder from a backup or a stopped folder, complete or as of a moment.

use super::common::{Json, SettingsFile};
use super::{moment, output};
use crate::app::disk_options;
use crate::control::upkeep::translated;
use crate::domain::text::count;
use crate::domain::time::UnixMillis;
use crate::store::data_folder;
use crate::store::maintenance::Until;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Write a fresh, compact folder from a backup or from a stopped folder; never overwrites.
///
/// Afterwards start a server on it with --data-dir, or replace the old folder with it.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// A backup, or the data folder of a stopped server. It is only read.
    from: PathBuf,
    /// The new folder.
    to: PathBuf,
    /// Leave out what was committed after this moment (2026-11-23T09:00:00Z, or seconds or milliseconds since 1970).
    #[arg(long, value_name = "MOMENT", value_parser = moment::read)]
    until: Option<u64>,
    /// Leave out what was committed after this frame.
    #[arg(long, value_name = "NUMBER", conflicts_with = "until")]
    until_frame: Option<u64>,
    #[command(flatten)]
    settings: SettingsFile,
    #[command(flatten)]
    json: Json,
}

impl Restore {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let until = match (self.until, self.until_frame) {
            (Some(ms), _) => Until::Time(UnixMillis(ms)),
            (None, Some(frame)) => Until::Frame(frame),
            (None, None) => Until::End,
        };
        let options = disk_options(&self.settings.offline()?);
        let report = data_folder::restore(&self.from, &self.to, until, &options, &translated(&output::bar()))?;
        if self.json.json {
            output::json(&report);
        } else {
            for note in &report.notes {
                output::note(format!("note: {note}"));
            }
            let time = if report.time == 0 { String::new() } else { format!(" as of {}", moment::show(report.time)) };
            let (to, records, frame) = (self.to.display(), count(report.records, "record"), report.frame);
            output::line(format!("{to} holds {records}{time} (frame {frame})"));
        }
        Ok(ExitCode::SUCCESS)
    }
}
