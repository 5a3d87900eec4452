//! Pages of users by time joined.
//!
//! [`Keyspace::UserListing`](crate::store::Keyspace::UserListing) has one list per tenant and recipe, ordered by (time
//! joined, id); a user with login methods of several recipes is in several lists, at the same position in each. A page
//! is the merge of the lists, read with a few bounded scans per recipe, whatever the number of users.

pub mod v1;

use super::index::{at, at_place, listing_prefix, parse_listed};
use super::{Row, plain};
use crate::domain::ids::{AppId, TenantId};
use crate::domain::time::UnixMillis;
use crate::domain::user::{Order, Position, RecipeId, Recipes};
use crate::store::key::KeyReader;
use crate::store::{Encoding, Key, Scan, StoreError, Tx};
use std::collections::BTreeMap;

/// A query for a page of a tenant's users.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// The app.
    pub app: &'a AppId,
    /// The tenant in which the users have a login method.
    pub tenant: &'a TenantId,
    /// The recipes, one of which the login method has.
    pub recipes: &'a Recipes,
    /// The order of the users, by time joined.
    pub order: Order,
    /// The first position of the page; `None` for the beginning of the list.
    pub from: Option<Position>,
    /// The maximum number of users.
    pub limit: usize,
}

/// A user in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUser {
    /// The user's position in the list.
    pub place: Position,
    /// A plain user, as the list shows it: without its password hash. `None` if the row has to be read; see
    /// [`read_rows`].
    pub row: Option<Row>,
}

impl Page<'_> {
    /// Returns the users on this page, in order. Rows that are still to be read may be gone by then.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn read(&self, tx: &mut dyn Tx) -> Result<Vec<ListedUser>, StoreError> {
        let lists = Lists::new(self.app, self.tenant, self.recipes);
        match (self.order, &self.from) {
            (Order::Ascending, from) => ascending(tx, &lists, from.as_ref(), self.limit).await,
            (Order::Descending, Some(from)) => lists.down(tx, Upto::Place(from), UnixMillis(0), self.limit).await,
            (Order::Descending, None) => lists.down(tx, Upto::End, UnixMillis(0), self.limit).await,
        }
    }
}

/// Reads the rows of users that the list does not show. Users that are gone are left without a row.
///
/// # Errors
/// When the store fails.
pub async fn read_rows(tx: &mut dyn Tx, app: &AppId, listed: &mut [ListedUser]) -> Result<(), StoreError> {
    let unknown: Vec<_> = listed.iter_mut().filter(|user| user.row.is_none()).collect();
    let ids: Vec<_> = unknown.iter().map(|user| user.place.id.clone()).collect();
    for (user, row) in unknown.into_iter().zip(super::rows(tx, app, &ids).await?) {
        user.row = row;
    }
    Ok(())
}

/// Keys ascend by time and then by id, but a page only by time: within a millisecond the lists are read backwards.
///
/// A chunk read forwards may end in the middle of a millisecond, which any number of users may share. So what is not
/// known to be complete is read again, backwards, and only as far as the page needs.
async fn ascending(
    tx: &mut dyn Tx,
    lists: &Lists<'_>,
    from: Option<&Position>,
    limit: usize,
) -> Result<Vec<ListedUser>, StoreError> {
    let mut page = Vec::new();
    let mut next = Some(UnixMillis(0));
    if let Some(from) = from {
        page = lists.down(tx, Upto::Place(from), from.time_joined, limit).await?;
        next = following(from.time_joined);
    }
    while let Some(time) = next
        && page.len() < limit
    {
        let chunk = lists.up(tx, time, limit - page.len()).await?;
        let is_whole = |listed: &ListedUser| chunk.cut.is_none_or(|cut| listed.place.time_joined < cut);
        let mut whole: Vec<_> = chunk.found.into_values().filter(is_whole).collect();
        for millisecond in whole.chunk_by_mut(|a, b| a.place.time_joined == b.place.time_joined) {
            millisecond.reverse();
        }
        page.extend(whole);
        page.truncate(limit);
        let Some(cut) = chunk.cut else { break };
        if page.len() < limit {
            page.extend(lists.down(tx, Upto::Millisecond(cut), cut, limit - page.len()).await?);
        }
        next = following(cut);
    }
    Ok(page)
}

fn following(time: UnixMillis) -> Option<UnixMillis> {
    time.0.checked_add(1).map(UnixMillis)
}

/// The point at which a backward walk begins.
#[derive(Clone, Copy)]
enum Upto<'a> {
    /// At the end of the list.
    End,
    /// At this position, inclusive.
    Place(&'a Position),
    /// At the end of this millisecond.
    Millisecond(UnixMillis),
}

/// Users by the end of their keys, which gives the same order as every list.
type Found = BTreeMap<Vec<u8>, ListedUser>;

/// Users read in forward order.
struct Chunk {
    found: Found,
    /// The millisecond from which on there may be more users.
    cut: Option<UnixMillis>,
}

/// The lists of a tenant, one per recipe.
struct Lists<'a> {
    tenant: &'a TenantId,
    prefixes: Vec<(RecipeId, Key)>,
}

impl<'a> Lists<'a> {
    fn new(app: &AppId, tenant: &'a TenantId, recipes: &Recipes) -> Self {
        let prefixes = recipes.iter().map(|recipe| (recipe, listing_prefix(app, tenant, recipe))).collect();
        Self { tenant, prefixes }
    }

    /// The last `limit` users down to the millisecond `low`, in reverse order.
    async fn down(
        &self,
        tx: &mut dyn Tx,
        upto: Upto<'_>,
        low: UnixMillis,
        limit: usize,
    ) -> Result<Vec<ListedUser>, StoreError> {
        let mut found = Found::new();
        for (recipe, prefix) in &self.prefixes {
            let end = match upto {
                Upto::End => prefix.prefix_end(),
                Upto::Place(place) => Some(at_place(prefix, place).successor()),
                Upto::Millisecond(time) => at(prefix, time).prefix_end(),
            };
            let rows = tx.scan(&Scan { start: at(prefix, low), end, reverse: true, limit }).await?;
            for row in &rows {
                found.extend(self.listed((*recipe, prefix), tx.encoding(), row)?);
            }
        }
        Ok(found.into_values().rev().take(limit).collect())
    }

    /// The next users from the millisecond `low` on; at least `limit` of them, if there are that many.
    async fn up(&self, tx: &mut dyn Tx, low: UnixMillis, limit: usize) -> Result<Chunk, StoreError> {
        let mut chunk = Chunk { found: Found::new(), cut: None };
        for (recipe, prefix) in &self.prefixes {
            let scan = Scan { start: at(prefix, low), end: prefix.prefix_end(), reverse: false, limit };
            let rows = tx.scan(&scan).await?;
            let mut last = None;
            for row in &rows {
                if let Some((end, listed)) = self.listed((*recipe, prefix), tx.encoding(), row)? {
                    last = Some(listed.place.time_joined);
                    chunk.found.insert(end, listed);
                }
            }
            if rows.len() == limit {
                chunk.cut = chunk.cut.into_iter().chain(last).min();
            }
        }
        Ok(chunk)
    }

    /// Parses a row of one of the lists into the user and its sort key among all lists; `None` if the key is not a list
    /// entry.
    fn listed(
        &self,
        (recipe, prefix): (RecipeId, &Key),
        encoding: Encoding,
        (key, value): &(Key, Vec<u8>),
    ) -> Result<Option<(Vec<u8>, ListedUser)>, StoreError> {
        let Some(parts) = KeyReader::after(key, prefix.bytes.len()) else { return Ok(None) };
        let end = parts.rest().to_vec();
        let Some((time_joined, id)) = parse_listed(parts) else { return Ok(None) };
        let place = Position { time_joined, id };
        let row = plain::listed(encoding, (self.tenant, recipe), key, &place, value)?;
        Ok(Some((end, ListedUser { place, row })))
    }
}
