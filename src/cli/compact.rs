//! `sessiond compact`: gives disk space back.

use super::common::{DataDir, Json};
use super::output;
use crate::app::disk_options;
use crate::control::upkeep::translated;
use crate::store::sled::maintenance;
use anyhow::{Result, bail};
use clap::Args;
use std::process::ExitCode;

/// Rewrite a stopped folder without what is superfluous; a kill at any moment loses nothing.
///
/// Moments before now can no longer be restored from the folder: make a backup first if that matters.
#[derive(Debug, Args)]
pub(super) struct Compact {
    #[command(flatten)]
    folder: DataDir,
    #[command(flatten)]
    json: Json,
}

impl Compact {
    pub(super) fn run(&self) -> Result<ExitCode> {
        if let Some(client) = self.folder.server()? {
            bail!("a server runs on this folder (PID {}): stop it first with \"sessiond stop\"", client.server.pid);
        }
        let config = self.folder.unserved()?;
        let options = disk_options(&config);
        let report = maintenance::compact(&config.data_dir, &options, &translated(&output::bar()))?;
        if self.json.json {
            output::json(&report);
        } else {
            let (before, after) = (output::size(report.before), output::size(report.after));
            output::line(format!("{before} before, {after} now; {} records", report.records));
        }
        Ok(ExitCode::SUCCESS)
    }
}
