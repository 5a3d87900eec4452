//! Connection URI domains, apps and tenants: the directory in memory, and the commands that change it.

mod directory;
mod load;
mod plan;
mod provider;
mod put;
mod remove;
mod traffic;
pub mod transfer;
mod work;

pub use directory::{AppEntry, Directory, TenantEntry};
pub use plan::effective_values;
pub use provider::{ProviderPut, PutProvider, RemoveProvider, SealProvider, providers};
pub use put::{Put, PutTenant};
pub use remove::{Gone, RemoveApp, RemoveTenant};
pub use traffic::{Rate, Traffic};
