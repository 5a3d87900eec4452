//! `sessiond salvage`: the last resort for a damaged folder.

use super::common::{Json, SettingsFile};
use super::output;
use crate::app::disk_options;
use crate::control::upkeep::translated;
use crate::domain::text::count;
use crate::store::data_folder;
use crate::store::tallies::is_note;
use anyhow::Result;
use clap::Args;
use std::process::ExitCode;

/// Write a new folder with everything that is readable in a damaged one; the last resort when there is no backup.
///
/// The result may lack acknowledged writes, and revoked sessions may be valid again. Exit code 1 if anything was lost.
#[derive(Debug, Args)]
pub(super) struct Salvage {
    /// The damaged folder. It is only read.
    from: std::path::PathBuf,
    /// The new folder.
    to: std::path::PathBuf,
    #[command(flatten)]
    settings: SettingsFile,
    #[command(flatten)]
    json: Json,
}

impl Salvage {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let options = disk_options(&self.settings.offline()?);
        let report = data_folder::salvage(&self.from, &self.to, &options, &is_note, &translated(&output::bar()))?;
        if self.json.json {
            output::json(&report);
        } else {
            for finding in &report.findings {
                output::line(format!("DAMAGED {}: {}", finding.place, finding.what));
            }
            for warning in &report.warnings {
                output::line(format!("note: {warning}"));
            }
            let (to, records, unreadable) = (self.to.display(), count(report.records, "record"), report.unreadable);
            output::line(format!("{to} holds {records}; {unreadable} could not be read"));
        }
        let whole = report.findings.is_empty() && report.unreadable == 0;
        Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
