//! `sessiond compact`: gives disk space back.

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

/// Rewrite a folder without what is superfluous, also while the server runs; a kill at any moment loses nothing.
///
/// Moments before now can no longer be restored from the folder: make a backup first if that matters. A new index is written
/// beside the old one, which takes disk space for a while: where there is too little, it says so and nothing is changed.
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
            let config = self.folder.unserved()?;
            json!(data_folder::compact(&config.data_dir, &disk_options(&config), &translated(&output::bar()))?)
        };
        if self.json.json {
            output::json(&report);
        } else {
            let size = |name| output::size(output::number(&report, name));
            let records = output::number(&report, "records");
            output::line(format!("{} before, {} now; {records} records", size("before"), size("after")));
        }
        Ok(ExitCode::SUCCESS)
    }
}
