//! Numbers of users: counters that are updated with every change of users.
//!
//! A user is counted once per tenant and once for its app, under the *set* of recipes of its login methods there,
//! encoded as a byte with one bit per recipe. The number for any choice of recipes is the sum over the sets that share
//! a recipe with it: at most 15 numbers, and no user is counted twice.
//!
//! * [`Keyspace::UserCount`]: (domain, app, tenant, set) → counter.
//! * [`Keyspace::AppUserCount`]: (domain, app, set) → counter, over login methods that are in some tenant.
//!
//! Changes of users add to counters but never read them, so that two changes never conflict on a counter.

use super::{Row, UserRecord, parse_row_key};
use crate::domain::ids::{AppId, TenantId};
use crate::domain::user::{LoginMethod, RecipeId, Recipes, User};
use crate::store::tally::Tally;
use crate::store::{Encoding, Key, Keyspace, Scan, StoreError, Tx, codec, counter};
use std::collections::BTreeMap;

/// More counters than a tenant or an app has: there are sixteen sets of four recipes.
const PAGE: usize = 512;

/// The number of a tenant's users with a login method of one of these recipes in that tenant.
///
/// The counters are read one after the other: a user whose set of recipes changes at that moment may be counted twice
/// or not at all.
///
/// # Errors
/// When the store fails.
pub async fn in_tenant(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId, recipes: &Recipes) -> Result<u64, StoreError> {
    sum(tx, Key::of_tenant(Keyspace::UserCount, app, tenant), recipes).await
}

/// The number of an app's users with a login method of one of these recipes in any tenant; see [`in_tenant`].
///
/// # Errors
/// When the store fails.
pub async fn in_app(tx: &mut dyn Tx, app: &AppId, recipes: &Recipes) -> Result<u64, StoreError> {
    sum(tx, Key::of_app(Keyspace::AppUserCount, app), recipes).await
}

async fn sum(tx: &mut dyn Tx, start: Key, recipes: &Recipes) -> Result<u64, StoreError> {
    let wanted = set(recipes.iter());
    let rows = tx.scan(&Scan { end: start.prefix_end(), start, reverse: false, limit: PAGE }).await?;
    let mut count = 0;
    for (key, bytes) in rows.iter().filter(|(key, _)| key.bytes.last().is_some_and(|set| set & wanted != 0)) {
        count = i64::saturating_add(count, counter::decode(tx.encoding(), key, Some(bytes))?);
    }
    Ok(u64::try_from(count).unwrap_or_default())
}

fn set(recipes: impl Iterator<Item = RecipeId>) -> u8 {
    recipes.fold(0, |set, recipe| set | 1 << (recipe as u8 - 1))
}

/// The keys of the counters that count a user.
fn places<'a>(app: &'a AppId, user: &'a User) -> impl Iterator<Item = Key> + 'a {
    let recipes = |here: &dyn Fn(&LoginMethod) -> bool| {
        set(user.methods.iter().filter(|method| here(method)).map(|method| method.login.recipe()))
    };
    let everywhere = recipes(&|method| !method.tenants.is_empty());
    let of_app = (everywhere != 0).then(|| Key::of_app(Keyspace::AppUserCount, app).raw(&[everywhere]));
    let of_tenants = user.tenants().into_iter().map(move |tenant| {
        let here = recipes(&|method| method.tenants.contains(tenant));
        Key::of_tenant(Keyspace::UserCount, app, tenant).raw(&[here])
    });
    of_app.into_iter().chain(of_tenants)
}

/// Updates the counters for a change of users; both lists are those of [`super::save`].
pub(super) fn change(tx: &mut dyn Tx, app: &AppId, before: &[&User], after: &[&User]) {
    let mut changes: BTreeMap<Key, i64> = BTreeMap::new();
    for (users, by) in [(before, -1), (after, 1)] {
        for key in users.iter().flat_map(|user| places(app, user)) {
            *changes.entry(key).or_default() += by;
        }
    }
    for (key, by) in changes.into_iter().filter(|(_, by)| *by != 0) {
        tx.add(key, by);
    }
}

/// The counters of users, as they are established and checked.
pub const USERS: Tally = Tally {
    note: "users counted",
    rows: Keyspace::User,
    counters: &[Keyspace::UserCount, Keyspace::AppUserCount],
    noun: "users",
    places: places_of_row,
};

fn places_of_row(encoding: Encoding, row: &Key, bytes: &[u8]) -> Result<Vec<Key>, StoreError> {
    let Some((app, id)) = parse_row_key(row) else { return Ok(Vec::new()) };
    let record = codec::decode::<UserRecord>(encoding, row, bytes)?;
    Ok(places(&app, &Row::new(id, record).user).collect())
}
