//! Connection URI domains, apps and tenants: the directory in memory, and the commands that change it.

use crate::config::AppConfig;
use crate::domain::ids::{AppId, TenantId};
use std::sync::Arc;

/// Every connection URI domain, app and tenant, with effective settings. Read on each request, changed rarely.
pub struct Directory {}

/// One app.
pub struct AppEntry {
    /// Its id.
    pub id: AppId,
    /// Its effective settings: those of its public tenant.
    pub config: Arc<AppConfig>,
}

/// One tenant of an app.
pub struct TenantEntry {
    /// Its id.
    pub id: TenantId,
    /// Its effective settings.
    pub config: Arc<AppConfig>,
}

impl Directory {
    /// The app, if it exists.
    pub fn app(&self, _id: &AppId) -> Option<Arc<AppEntry>> {
        todo!()
    }

    /// True if a connection URI domain of this name was created.
    pub fn has_connection_uri_domain(&self, _host: &str) -> bool {
        todo!()
    }
}

impl AppEntry {
    /// The tenant, if it exists.
    pub fn tenant(&self, _id: &TenantId) -> Option<Arc<TenantEntry>> {
        todo!()
    }
}
