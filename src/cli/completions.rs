//! `sessiond completions`: a script that teaches a shell to complete our commands.

use clap::{Args, Command};
use clap_complete::Shell;
use std::io::Write;
use std::process::ExitCode;

/// Print a completion script for a shell.
///
/// For example: sessiond completions bash > ~/.local/share/bash-completion/completions/sessiond
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Shell to print the script for.
    shell: Shell,
}

impl Completions {
    /// Prints the script for the whole command line.
    pub(super) fn run(&self, mut command_line: Command) -> ExitCode {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command_line, "sessiond", &mut script);
        let _ = std::io::stdout().lock().write_all(&script);
        ExitCode::SUCCESS
    }
}
