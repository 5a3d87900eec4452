//! `sessiond uninstall`: removes the program, never the data.

use super::common::DataDir;
use super::output;
use anyhow::{Context, Result};
use clap::Args;
use std::process::ExitCode;

/// Remove this program from the machine; data stays where it is.
#[derive(Debug, Args)]
pub(super) struct Uninstall {
    #[command(flatten)]
    folder: DataDir,
}

impl Uninstall {
    pub(super) fn run(&self) -> Result<ExitCode> {
        if self.folder.server()?.is_some() {
            output::note(
                "More than one sessiond instance is still running. Please run \"sessiond stop\" and then run the \
                 uninstall command again.",
            );
            return Ok(ExitCode::FAILURE);
        }
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        std::fs::remove_file(&program).with_context(|| {
            format!("cannot remove {}; remove it by hand, with the rights of whoever installed it", program.display())
        })?;
        output::line(format!("Removed {}", program.display()));
        let folder = self.folder.path();
        if folder.exists() {
            output::line(format!("Data is still in {}; remove it by hand if you want it gone", folder.display()));
        }
        output::line("Uninstallation successful. Sorry to see you go :(");
        Ok(ExitCode::SUCCESS)
    }
}
