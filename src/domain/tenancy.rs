//! Connection URI domains, apps and tenants: id rules and the tenant object.
