//! Pages of users by time joined.
//!
//! [`Keyspace::UserListing`](crate::store::Keyspace::UserListing) has one list per tenant and recipe, ordered by (time joined, id); a user with login methods
//! of several recipes stands in several lists, at the same place in each. A page is the merge of the lists, read with
//! a few bounded scans per recipe, whatever the number of users.

pub mod v1;

use super::index::{listing_prefix, parse_listed};
use crate::domain::ids::{AppId, TenantId};
use crate::domain::time::UnixMillis;
use crate::domain::user::{Order, Position, Recipes};
use crate::store::key::KeyReader;
use crate::store::session::just_after;
use crate::store::{Key, Scan, StoreError, Tx};
use std::collections::BTreeMap;

/// Which users of a tenant, from where on.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// In this app.
    pub app: &'a AppId,
    /// Users with a login method in this tenant…
    pub tenant: &'a TenantId,
    /// …of one of these recipes.
    pub recipes: &'a Recipes,
    /// By time joined.
    pub order: Order,
    /// The first place of the page; `None` for the beginning of the list.
    pub from: Option<Position>,
    /// At most so many.
    pub limit: usize,
}

impl Page<'_> {
    /// The places of the users on this page, in order. Rows may be gone by the time they are read.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn read(&self, tx: &mut dyn Tx) -> Result<Vec<Position>, StoreError> {
        let lists = Lists::new(self.app, self.tenant, self.recipes);
        match (self.order, &self.from) {
            (Order::Ascending, from) => ascending(tx, &lists, from.as_ref(), self.limit).await,
            (Order::Descending, Some(from)) => lists.down(tx, Upto::Place(from), UnixMillis(0), self.limit).await,
            (Order::Descending, None) => lists.down(tx, Upto::End, UnixMillis(0), self.limit).await,
        }
    }
}

/// Keys ascend by time and then by id, a page by time only: inside a millisecond the lists are read backwards.
///
/// A chunk read forwards may end in the middle of a millisecond, which any number of users may share. So what is not
/// known to be whole is read again, backwards, and only as far as the page needs.
async fn ascending(
    tx: &mut dyn Tx,
    lists: &Lists,
    from: Option<&Position>,
    limit: usize,
) -> Result<Vec<Position>, StoreError> {
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
        let is_whole = |place: &Position| chunk.cut.is_none_or(|cut| place.time_joined < cut);
        let whole: Vec<_> = chunk.found.into_values().filter(is_whole).collect();
        for millisecond in whole.chunk_by(|a, b| a.time_joined == b.time_joined) {
            page.extend(millisecond.iter().rev().cloned());
        }
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

/// Where a walk from the end begins.
#[derive(Clone, Copy)]
enum Upto<'a> {
    /// At the list's end.
    End,
    /// At this place, itself included.
    Place(&'a Position),
    /// At the end of this millisecond.
    Millisecond(UnixMillis),
}

/// Users by what their keys end in, which orders them like every list.
type Listed = BTreeMap<Vec<u8>, Position>;

/// Users read forwards.
struct Chunk {
    found: Listed,
    /// From this millisecond on there may be more.
    cut: Option<UnixMillis>,
}

/// The lists of a tenant, one per recipe.
struct Lists(Vec<Key>);

impl Lists {
    fn new(app: &AppId, tenant: &TenantId, recipes: &Recipes) -> Self {
        Self(recipes.iter().map(|recipe| listing_prefix(app, tenant, recipe)).collect())
    }

    /// The last `limit` users down to the millisecond `low`, last first.
    async fn down(
        &self,
        tx: &mut dyn Tx,
        upto: Upto<'_>,
        low: UnixMillis,
        limit: usize,
    ) -> Result<Vec<Position>, StoreError> {
        let mut found = Listed::new();
        for prefix in &self.0 {
            let end = match upto {
                Upto::End => prefix.prefix_end(),
                Upto::Place(place) => Some(just_after(at(prefix, place.time_joined).internal_id(&place.id))),
                Upto::Millisecond(time) => at(prefix, time).prefix_end(),
            };
            let rows = tx.scan(&Scan { start: at(prefix, low), end, reverse: true, limit }).await?;
            found.extend(rows.iter().filter_map(|(key, _)| listed(prefix, key)));
        }
        Ok(found.into_values().rev().take(limit).collect())
    }

    /// The next users from the millisecond `low` on; at least `limit` of them are known, if there are so many.
    async fn up(&self, tx: &mut dyn Tx, low: UnixMillis, limit: usize) -> Result<Chunk, StoreError> {
        let mut chunk = Chunk { found: Listed::new(), cut: None };
        for prefix in &self.0 {
            let scan = Scan { start: at(prefix, low), end: prefix.prefix_end(), reverse: false, limit };
            let rows = tx.scan(&scan).await?;
            let mut last = None;
            for (end, place) in rows.iter().filter_map(|(key, _)| listed(prefix, key)) {
                last = Some(place.time_joined);
                chunk.found.insert(end, place);
            }
            if rows.len() == limit {
                chunk.cut = chunk.cut.into_iter().chain(last).min();
            }
        }
        Ok(chunk)
    }
}

/// Whom a key of this list names.
fn listed(prefix: &Key, key: &Key) -> Option<(Vec<u8>, Position)> {
    let parts = KeyReader::after(key, prefix.bytes.len())?;
    let (time_joined, id) = parse_listed(parts)?;
    Some((parts.rest().to_vec(), Position { time_joined, id }))
}

fn at(prefix: &Key, time: UnixMillis) -> Key {
    prefix.clone().raw(&time.0.to_be_bytes())
}
