//! The command line; one file per subcommand.

use std::process::ExitCode;

/// Parses the process's arguments and runs what they ask for.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
