//! `sessiond compact`: gives back disk space.

use super::common::{DataDir, Json};
use super::output::{self, Bar};
use crate::app::disk_options;
use crate::control::Request;
use crate::control::upkeep::translated;
use crate::store::data_folder;
use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::process::ExitCode;

/// Rewrite a folder without superfluous data, even while the server is running; a kill at any moment loses nothing.
///
/// The folder can then no longer be restored to moments before now: make a backup first if that matters. A new index is
/// written next to the old one, which temporarily takes disk space: if there is too little, the command says so and
/// changes nothing.
#[derive(Debug, Args)]
pub(super) struct Compact {
    #[command(flatten)]
    folder: DataDir,
    #[command(flatten)]
    json: Json,
}

impl Compact {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let report = if let Some(mut client) = self.folder.server()? {
            let bar = Bar::new();
            client.request(&Request::Compact, |progress| bar.show(progress))?
        } else {
            let config = self.folder.offline_config()?;
            json!(data_folder::compact(&config.data_dir, &disk_options(&config), &translated(&output::bar()))?)
        };
        if self.json.json {
            output::json(&report);
        } else {
            let size = |name| output::size(output::number(&report, name));
            let records = output::counted(&report, "record");
            output::line(format!("{} before, {} now; {records}", size("before"), size("after")));
        }
        Ok(ExitCode::SUCCESS)
    }
}
