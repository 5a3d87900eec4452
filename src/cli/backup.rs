//! `sessiond backup`: a consistent copy, even of a running server.

use super::common::{self, DataDir, Json};
use super::output::{self, Bar};
use crate::control::{Request, upkeep};
use anyhow::{Context, Result};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Write a consistent copy of everything into a new folder, even while the server is running.
///
/// A running server writes the copy itself, with its own rights, to a path on its own machine. The copy holds signing
/// keys: keep it as safe as the data folder.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The new folder.
    to: PathBuf,
    #[command(flatten)]
    folder: DataDir,
    #[command(flatten)]
    json: Json,
}

impl Backup {
    pub(super) fn run(&self) -> Result<ExitCode> {
        let to = std::path::absolute(&self.to).context("cannot resolve the path of the new folder")?;
        let report = if let Some(mut client) = self.folder.server()? {
            let bar = Bar::new();
            client.request(&Request::Backup { to: to.clone() }, |progress| bar.show(progress))?
        } else {
            let store = common::open(&self.folder.offline_config()?)?;
            common::block_on(async {
                let outcome = upkeep::backup(&store, to.clone(), output::bar()).await;
                store.engine.close().await?;
                outcome.map_err(anyhow::Error::msg)
            })?
        };
        if self.json.json {
            output::json(&report);
        } else {
            let (size, time) = (output::size(output::number(&report, "bytes")), output::moment(&report, "time"));
            output::line(format!("{} holds everything up to {time} ({size})", to.display()));
        }
        Ok(ExitCode::SUCCESS)
    }
}
