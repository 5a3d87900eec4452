//! Removes tenants, apps and connection URI domains with everything in them.

use super::work::{Work, finish, removing};
use crate::command::transact::{Step, transact_unqueued};
use crate::context::Context;
use crate::domain::ids::{AppId, PUBLIC, TenantId};
use crate::fault::Fault;
use crate::store;
use crate::store::removal::{self, RemovalTarget};

/// Removes a tenant that is not public.
pub struct RemoveTenant {
    /// The app.
    pub app: AppId,
    /// The tenant.
    pub tenant: TenantId,
}

/// Removes an app that has no tenant besides the public one; the public app of a domain represents the domain and must
/// be its last.
pub struct RemoveApp {
    /// The app.
    pub app: AppId,
}

/// The outcome of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It is removed completely.
    Ok {
        /// Whether it existed before.
        existed: bool,
    },
    /// The app has tenants besides the public one.
    HasTenants,
    /// The domain has apps besides the public one.
    HasApps,
}

impl RemoveTenant {
    /// Removes the tenant and returns the outcome; runs to completion even if the caller goes away.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Removal, Fault> {
        let work = Work::of(context);
        Work::to_the_end(async move {
            let _change_guard = work.directory.begin_change(&self.app, false).await;
            let removed = RemovalTarget { app: self.app, tenant: Some(self.tenant) };
            remove(&work, &removed).await
        })
        .await
    }
}

impl RemoveApp {
    /// Removes the app and returns the outcome; runs to completion even if the caller goes away.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Removal, Fault> {
        let work = Work::of(context);
        Work::to_the_end(async move { self.apply(&work).await }).await
    }

    async fn apply(self, work: &Work) -> Result<Removal, Fault> {
        let is_domain = self.app.app_id == PUBLIC;
        let _change_guard = work.directory.begin_change(&self.app, is_domain).await;
        if is_domain && work.directory.apps_of(&self.app.connection_uri_domain).len() > 1 {
            return Ok(Removal::HasApps);
        }
        if work.directory.app(&self.app).is_some_and(|entry| entry.tenant_count() > 1) {
            return Ok(Removal::HasTenants);
        }
        remove(work, &RemovalTarget { app: self.app, tenant: None }).await
    }
}

/// Removes the record in one step, then the directory's entry, then everything that belonged to it.
async fn remove(work: &Work, removed: &RemovalTarget) -> Result<Removal, Fault> {
    let public = TenantId::public();
    let tenant = removed.tenant.as_ref().unwrap_or(&public);
    let existed =
        transact_unqueued(&*work.store, "committing the removal of an app or a tenant", |mut tx| async move {
            if !store::tenant::exists(tx.as_mut(), &removed.app, tenant).await.map_err(removing)? {
                return Ok(Step::Done(false));
            }
            store::tenant::delete(tx.as_mut(), &removed.app, tenant);
            let record = store::app::get(tx.as_mut(), &removed.app).await.map_err(removing)?;
            match record {
                Some(mut record) if removed.tenant.is_some() => {
                    record.changes += 1;
                    store::app::put(tx.as_mut(), &removed.app, &record).map_err(removing)?;
                }
                _ => store::app::delete(tx.as_mut(), &removed.app),
            }
            removal::begin(tx.as_mut(), removed, work.now).map_err(removing)?;
            Ok(Step::Commit(tx, true))
        });
    if !existed.await? {
        work.finish_if_pending(removed).await?;
        return Ok(Removal::Ok { existed: false });
    }
    match &removed.tenant {
        Some(tenant) => work.directory.remove_tenant(&removed.app, tenant),
        None => {
            work.directory.remove_app(&removed.app);
            work.keys.forget(&removed.app);
        }
    }
    finish(&*work.store, removed).await?;
    Ok(Removal::Ok { existed: true })
}
