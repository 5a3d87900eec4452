//! `sessiond man`: manual pages.

use super::output;
use anyhow::{Context as _, Result};
use clap::{Args, Command};
use std::path::PathBuf;

/// Write manual pages, one for each command.
///
/// For example: sessiond man /usr/local/share/man/man1
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Folder to write to; it is created if it does not exist.
    folder: PathBuf,
}

impl Man {
    /// Writes the pages for the whole command line.
    pub(super) fn run(&self, command_line: Command) -> Result<()> {
        std::fs::create_dir_all(&self.folder).with_context(|| format!("cannot create {}", self.folder.display()))?;
        clap_mangen::generate_to(command_line, &self.folder)
            .with_context(|| format!("cannot write manual pages to {}", self.folder.display()))?;
        output::line(format!("Manual pages written to {}", self.folder.display()));
        Ok(())
    }
}
