//! Connection URI domains, apps and tenants: the directory in memory, and the commands that change it.

mod directory;

pub use directory::{AppEntry, Directory, TenantEntry};
