//! Reads the directory from the store when the server starts.

use super::plan::{Own, stored_config};
use super::work::{finish, removing};
use crate::config::BaseConfig;
use crate::domain::ids::{AppId, PUBLIC, TenantId};
use crate::domain::tenancy::Tenant;
use crate::fault::Fault;
use crate::state::directory::{Directory, TenantEntry};
use crate::store::walk::Pages;
use crate::store::{self, Engine, Key, Keyspace, removal};
use std::sync::Arc;

/// Rows read per step.
const PAGE: usize = 1024;

impl Directory {
    /// The directory of a store, after finishing removals that a crash interrupted.
    ///
    /// Own settings that the server's new settings have made invalid are kept as they are, with a warning: dropping
    /// them could open an app to callers without a key.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn load(base: Arc<BaseConfig>, store: &dyn Engine) -> Result<Self, Fault> {
        let unfinished = removal::pending(&mut *store.begin()).await.map_err(removing)?;
        for removed in unfinished {
            tracing::info!(app = removed.app.app_id, "finishing the removal of an app or tenant");
            finish(store, &removed).await?;
        }
        let directory = Self::new(base);
        enter(&directory, tenants(store, Key::of(Keyspace::Tenant)).await?);
        Ok(directory)
    }
}

/// Adds an app that was imported into the store to the directory.
pub(super) async fn enter_app(directory: &Directory, store: &dyn Engine, app: &AppId) -> Result<(), Fault> {
    enter(directory, tenants(store, Key::of_app(Keyspace::Tenant, app)).await?);
    Ok(())
}

/// The order of loading, parents first: the domain's public tenant, the app's, the others.
fn enter(directory: &Directory, mut rows: Vec<(AppId, TenantId, Tenant)>) {
    rows.sort_by_key(|(app, tenant, _)| (!tenant.is_public(), app.app_id != PUBLIC));
    for (app, id, own) in rows {
        let settings = own.core_config.to_map().unwrap_or_else(Own::new);
        let config = stored_config(directory, &app, &id, &settings);
        directory.put(&app, TenantEntry { id, config, own });
    }
}

/// Every tenant whose key begins with the given one.
async fn tenants(store: &dyn Engine, prefix: Key) -> Result<Vec<(AppId, TenantId, Tenant)>, Fault> {
    let (mut pages, mut all) = (Pages::of(prefix, PAGE), Vec::new());
    loop {
        let page = store::tenant::page(store.begin().as_mut(), &mut pages).await;
        match page.map_err(|error| Fault::new("reading tenants", error))? {
            Some(page) => all.extend(page),
            None => return Ok(all),
        }
    }
}
