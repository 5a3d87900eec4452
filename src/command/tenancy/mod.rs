//! Connection URI domains, apps and tenants: the commands that change them, and the directory in memory.

mod load;
mod plan;
mod provider;
mod put;
mod remove;
pub mod transfer;
mod work;

pub use plan::effective_values;
pub(in crate::command) use provider::Sealer as ProviderSealer;
pub use provider::{ProviderPut, PutProvider, RemoveProvider, SealProvider, providers};
pub use put::{PutTenant, PutTenantOutcome};
pub use remove::{Removal, RemoveApp, RemoveTenant};
