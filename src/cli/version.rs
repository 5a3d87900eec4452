//! `sessiond --version`.

use super::output;

/// Version of the storage engine; Cargo only exposes our own.
const ENGINE: &str = "0.34.7";

/// Prints the lines that the original prints, where they apply here.
pub(super) fn print() {
    output::line("You are using sessiond");
    output::line(format!("sessiond version: {}", env!("CARGO_PKG_VERSION")));
    output::line("Storage engine name: sled");
    output::line(format!("Storage engine version: {ENGINE}"));
    if let Some(folder) = std::env::current_exe().ok().as_deref().and_then(std::path::Path::parent) {
        output::line(format!("Installation directory: {}", folder.display()));
    }
}
