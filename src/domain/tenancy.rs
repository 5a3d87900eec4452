//! Connection URI domains, apps and tenants: id rules and the tenant object.

mod ids;

pub use ids::{IdError, app_id, connection_uri_domain, tenant_id};
