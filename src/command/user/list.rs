//! `GET /users`: pages of users, and search.

use super::UserInfo;
use crate::app::App;
use crate::command::session::Scope;
use crate::domain::ids::{AppId, TenantId};
use crate::domain::user::{Order, Position, Recipes, SearchTags};
use crate::fault::Fault;
use crate::store::user::listing::Page;
use crate::store::user::{Row, search};
use crate::store::{StoreError, Tx, user};

/// Lists users of a tenant by time joined.
pub struct ListUsers {
    /// Where.
    pub scope: Scope,
    /// Users with a login method in this tenant…
    pub tenant: TenantId,
    /// …of one of these recipes.
    pub recipes: Recipes,
    /// In which direction.
    pub order: Order,
    /// The page's first place; `None` for the first page.
    pub from: Option<Position>,
    /// Users on the page.
    pub limit: usize,
}

/// One page.
pub struct UserPage {
    /// The users, in order.
    pub users: Vec<UserInfo>,
    /// Where the next page begins, if there is one.
    pub next: Option<Position>,
}

impl ListUsers {
    /// Runs the command. Its cost does not depend on how many users there are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &App) -> Result<UserPage, Fault> {
        self.read(app).await.map_err(|error| Fault::new("listing users", error))
    }

    async fn read(self, app: &App) -> Result<UserPage, StoreError> {
        let id = &self.scope.app.id;
        let mut tx = app.store.begin();
        let limit = self.limit.saturating_add(1);
        let (tenant, recipes) = (&self.tenant, &self.recipes);
        let page = Page { app: id, tenant, recipes, order: self.order, from: self.from, limit };
        let mut places = page.read(tx.as_mut()).await?;
        let next = if places.len() == limit { places.pop() } else { None };
        let ids: Vec<_> = places.into_iter().map(|place| place.id).collect();
        let mut users = Vec::with_capacity(ids.len());
        // Some may have been deleted or linked to another since the list was read.
        for row in user::rows(tx.as_mut(), id, &ids).await?.into_iter().flatten() {
            users.push(UserInfo::of_row(tx.as_mut(), id, row).await?);
        }
        Ok(UserPage { users, next })
    }
}

/// Searches the users of a tenant.
pub struct SearchUsers {
    /// Where.
    pub scope: Scope,
    /// Only login methods in this tenant are looked at.
    pub tenant: TenantId,
    /// What for.
    pub tags: SearchTags,
    /// Of the result, by time joined.
    pub order: Order,
}

impl SearchUsers {
    /// Runs the command; at most a thousand users.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &App) -> Result<Vec<UserInfo>, Fault> {
        let failed = |error| Fault::new("searching users", error);
        let id = &self.scope.app.id;
        let mut tx = app.store.begin();
        let mut found = search::search(tx.as_mut(), id, &self.tenant, &self.tags).await.map_err(failed)?;
        if self.order == Order::Descending {
            found.reverse();
        } else {
            // The rule for equal times is the same in both directions.
            found.sort_by(|Row { user: a, .. }, Row { user: b, .. }| {
                a.time_joined().cmp(&b.time_joined()).then_with(|| b.id.cmp(&a.id))
            });
        }
        with_info(tx.as_mut(), id, found).await.map_err(failed)
    }
}

/// Adds to each user what replies show of it.
pub(super) async fn with_info(tx: &mut dyn Tx, app: &AppId, rows: Vec<Row>) -> Result<Vec<UserInfo>, StoreError> {
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        shown.push(UserInfo::of_row(tx, app, row).await?);
    }
    Ok(shown)
}
