//! Connection URI domains, apps and tenants: id rules and the tenant object.

mod ids;
mod provider;
mod tenant;

pub use ids::{IdError, RESERVED_TENANTS, app_id, connection_uri_domain, tenant_id};
pub use provider::{Provider, ProviderError};
pub use tenant::{FactorError, Factors, Recipe, Switches, Tenant, TenantChange, check_factors};
