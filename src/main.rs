//! The `sessiond` binary: parses arguments, calls the library, returns an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    sessiond::cli::main()
}
