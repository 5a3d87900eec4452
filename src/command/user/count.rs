//! `GET /users/count`.

use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::ids::TenantId;
use crate::domain::user::Recipes;
use crate::fault::Fault;
use crate::store::user::count;

/// Counts users.
pub struct CountUsers {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// Only users with a login method in this tenant; `None` for all tenants of the app.
    pub tenant: Option<TenantId>,
    /// Only users with a login method of one of these recipes.
    pub recipes: Recipes,
}

impl CountUsers {
    /// Returns the exact count, from counters that change with the users.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<u64, Fault> {
        let id = &self.scope.app.id;
        let mut tx = context.store.begin();
        let counted = match &self.tenant {
            Some(tenant) => count::in_tenant(tx.as_mut(), id, tenant, &self.recipes).await,
            None => count::in_app(tx.as_mut(), id, &self.recipes).await,
        };
        counted.map_err(|error| Fault::new("counting users", error))
    }
}
