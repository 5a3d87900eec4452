//! `GET /users`: pages of users, and search.

use super::UserInfo;
use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::ids::{AppId, TenantId};
use crate::domain::user::{Order, Position, Recipes, SearchTags, are_apart};
use crate::fault::Fault;
use crate::store::user::listing::{self, ListedUser, Page};
use crate::store::user::{Row, search};
use crate::store::{StoreError, Tx};

/// How often users are read again while some of them are linked, unlinked or deleted. After that they are returned as
/// read.
const MAX_ATTEMPTS: usize = 8;

/// Lists users of a tenant by time joined.
pub struct ListUsers {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant in which the users must have a login method…
    pub tenant: TenantId,
    /// …of one of these recipes.
    pub recipes: Recipes,
    /// The order of the list.
    pub order: Order,
    /// The position of the page's first user; `None` for the first page.
    pub from: Option<Position>,
    /// The most users on the page.
    pub limit: usize,
}

/// One page.
pub struct UserPage {
    /// The users, in order.
    pub users: Vec<UserInfo>,
    /// The position at which the next page begins, if there is one.
    pub next: Option<Position>,
}

impl ListUsers {
    /// Returns the page. The cost does not depend on how many users there are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<UserPage, Fault> {
        self.read(context).await.map_err(|error| Fault::new("listing users", error))
    }

    async fn read(&self, context: &Context) -> Result<UserPage, StoreError> {
        let id = &self.scope.app.id;
        let mut attempts = 0;
        loop {
            let mut tx = context.store.begin();
            let (mut listed, next) = self.listed(tx.as_mut()).await?;
            listing::read_rows(tx.as_mut(), id, &mut listed).await?;
            attempts += 1;
            // A user that was linked or deleted since the list was read is now elsewhere in it, or not in it at all. A
            // user that was unlinked from a primary user may have a new place: only the list shows it.
            let mut is_consistent =
                listed.iter().all(|ListedUser { place, row }| row.as_ref().is_some_and(|row| row.user.is_at(place)));
            if is_consistent && listed.iter().flat_map(|listed| &listed.row).any(|row| row.user.is_primary) {
                let (again, next_again) = self.listed(tx.as_mut()).await?;
                let (places, places_again) = (listed.iter().map(|one| &one.place), again.iter().map(|one| &one.place));
                is_consistent = next_again == next && places.eq(places_again);
            }
            if !is_consistent && attempts < MAX_ATTEMPTS {
                continue;
            }
            let rows = listed.into_iter().filter_map(|listed| listed.row).collect();
            let users = with_info(tx.as_mut(), id, rows).await?;
            return Ok(UserPage { users, next });
        }
    }

    /// The users on the page, and the position of the first one after it.
    async fn listed(&self, tx: &mut dyn Tx) -> Result<(Vec<ListedUser>, Option<Position>), StoreError> {
        let limit = self.limit.saturating_add(1);
        let (app, tenant, recipes) = (&self.scope.app.id, &self.tenant, &self.recipes);
        let page = Page { app, tenant, recipes, order: self.order, from: self.from.clone(), limit };
        let mut listed = page.read(tx).await?;
        let next = if listed.len() == limit { listed.pop() } else { None };
        Ok((listed, next.map(|listed| listed.place)))
    }
}

/// Searches the users of a tenant.
pub struct SearchUsers {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant whose login methods are searched.
    pub tenant: TenantId,
    /// The search criteria.
    pub tags: SearchTags,
    /// The order of the result, by time joined.
    pub order: Order,
}

impl SearchUsers {
    /// Returns at most a thousand users.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Vec<UserInfo>, Fault> {
        let failed = |error| Fault::new("searching users", error);
        let id = &self.scope.app.id;
        let mut attempts = 0;
        let (mut tx, mut found) = loop {
            let mut tx = context.store.begin();
            let found = search::search(tx.as_mut(), id, &self.tenant, &self.tags).await.map_err(failed)?;
            attempts += 1;
            if attempts == MAX_ATTEMPTS || are_apart(found.iter().map(|row| &row.user)) {
                break (tx, found);
            }
        };
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

/// Adds to each user what replies show about it.
pub(super) async fn with_info(tx: &mut dyn Tx, app: &AppId, rows: Vec<Row>) -> Result<Vec<UserInfo>, StoreError> {
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        shown.push(UserInfo::of_row(tx, app, row).await?);
    }
    Ok(shown)
}
