//! `sessiond man`: manual pages.

use super::output;
use anyhow::{Context as _, Result};
use clap::{Args, CommandFactory};
use std::path::PathBuf;

/// Write manual pages, one for each command.
///
/// For example: sessiond man /usr/local/share/man/man1
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Folder to write to; it is created when it does not exist.
    folder: PathBuf,
}

impl Man {
    pub(super) fn run(&self) -> Result<()> {
        std::fs::create_dir_all(&self.folder).with_context(|| format!("cannot create {}", self.folder.display()))?;
        clap_mangen::generate_to(super::Cli::command(), &self.folder)
            .with_context(|| format!("cannot write manual pages to {}", self.folder.display()))?;
        output::line(format!("Manual pages written to {}", self.folder.display()));
        Ok(())
    }
}
