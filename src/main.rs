//! The `sessiond` binary: parses arguments, calls the library, returns an exit code.

use std::process::ExitCode;

/// The index splits leaves into many small pieces and frees them in another order, which leaves the C library's heap in
/// a state in which each allocation is a search. The allocator's settings are in `.cargo/config.toml`.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    sessiond::cli::main()
}
