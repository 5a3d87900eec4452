//! Users at rest: one row per user with all login methods, and index keys derived from the rows.
//!
//! * [`Keyspace::User`]: (domain, app, group id) → [`UserRecord`].
//! * Everything else is derived by `index::entries`: pointers from recipe user ids and external ids to the row, point
//!   keys that make logins unique, reservations of primary users, and scan keys for listing and search.
//!
//! Every change of a user goes through [`save`], which compares the keys of the state before with those of the state
//! after, so that no index key can be forgotten. A new key that must be unique is read, so that of two transactions
//! that claim it one conflicts.

mod check;
pub mod count;
mod index;
pub mod listing;
mod plain;
pub mod search;
pub mod verified;

pub use check::check;
pub use index::{
    ExternalUserIdRecord, Kind, LoginIdentityRecord, LoginMethodUserRecord, PrimaryAccountInfoRecord, Search,
    identity_key, info_key, info_value_key, listing_key, listing_prefix, parse_info_key, parse_listing_key,
};
pub use plain::{AccountInfoRecord, UserListingRecord};

use super::key::KeyReader;
use super::{Key, Keyspace, Scan, StoreError, Tx, codec};
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::user::{AccountInfo, ExternalId, LoginMethod, RecipeId, User};
use index::{IndexEntry, Pointer};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A user's row. The group id is the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecord {
    is_primary: bool,
    kept_mapping: Option<ExternalId>,
    methods: Vec<LoginMethod>,
    verified: Option<Vec<bool>>,
}

crate::record!(UserRecord, User, version 2 after UserRecordV1);

/// [`UserRecord`] before it included what is verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecordV1 {
    is_primary: bool,
    kept_mapping: Option<ExternalId>,
    methods: Vec<LoginMethod>,
}

crate::record!(UserRecordV1, User, version 1);

impl From<UserRecordV1> for UserRecord {
    fn from(UserRecordV1 { is_primary, kept_mapping, methods }: UserRecordV1) -> Self {
        Self { is_primary, kept_mapping, methods, verified: None }
    }
}

impl From<Row> for UserRecord {
    fn from(Row { user, verified }: Row) -> Self {
        Self { is_primary: user.is_primary, kept_mapping: user.kept_mapping, methods: user.methods, verified }
    }
}

/// The content of a user's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The user.
    pub user: User,
    /// The copy of the marks, see [`verified`]; `None` in a row that was written before there were copies.
    pub verified: Option<Vec<bool>>,
}

impl Row {
    fn new(id: UserId, record: UserRecord) -> Self {
        let UserRecord { is_primary, kept_mapping, methods, verified } = record;
        Self { user: User { id, is_primary, kept_mapping, methods }, verified }
    }
}

/// The key of a user's row.
#[must_use]
pub fn row_key(app: &AppId, id: &UserId) -> Key {
    Key::of_app(Keyspace::User, app).text(id.as_str())
}

/// Parses the app and the group id from the key of a row.
fn parse_row_key(key: &Key) -> Option<(AppId, UserId)> {
    let mut parts = KeyReader::new(key);
    Some((parts.app()?, UserId::new(parts.text()?)))
}

/// The user with this group id.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<Option<User>, StoreError> {
    Ok(row(tx, app, id).await?.map(|row| row.user))
}

/// The row with this group id.
///
/// # Errors
/// When the store fails.
pub async fn row(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<Option<Row>, StoreError> {
    let record: Option<UserRecord> = codec::get(tx, &row_key(app, id)).await?;
    Ok(record.map(|record| Row::new(id.clone(), record)))
}

/// The rows with these group ids, in this order.
///
/// # Errors
/// When the store fails.
pub async fn rows(tx: &mut dyn Tx, app: &AppId, ids: &[UserId]) -> Result<Vec<Option<Row>>, StoreError> {
    let keys: Vec<_> = ids.iter().map(|id| row_key(app, id)).collect();
    let records = codec::get_many::<UserRecord>(tx, &keys).await?;
    Ok(ids.iter().zip(records).map(|(id, record)| Some(Row::new(id.clone(), record?))).collect())
}

/// Writes a user's row, including what is verified according to this transaction.
async fn put_row(tx: &mut dyn Tx, app: &AppId, user: &User) -> Result<(), StoreError> {
    let mut user = user.clone();
    user.sort();
    let key = row_key(app, &user.id);
    plain::require_password_hash(&key, &user)?;
    let verified = verified::of_user(tx, app, &user).await?;
    plain::put(tx, app, &user, &verified)?;
    codec::put(tx, key, &UserRecord::from(Row { user, verified: Some(verified) }))
}

/// A user found by one of its ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The user.
    pub user: User,
    /// The internal id that was meant: of a login method, or of a group whose own method is gone.
    pub id: UserId,
}

/// The longest internal id: they are UUIDs. A longer id can only be an external one.
const MAX_INTERNAL_ID: usize = 64;

/// Finds a user by any id: internal ones win over external ones, recipe user ids lead to the group.
///
/// # Errors
/// When the store fails.
pub async fn find(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<Option<Found>, StoreError> {
    if let Some(found) = find_internal(tx, app, id).await? {
        return Ok(Some(found));
    }
    find_external(tx, app, id).await
}

/// Finds a user by an internal id: of the group, or of one of its methods.
///
/// # Errors
/// When the store fails.
pub async fn find_internal(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<Option<Found>, StoreError> {
    let row = row_of(tx, app, id).await?;
    Ok(row.map(|row| Found { user: row.user, id: id.clone() }))
}

/// The row for an internal id: of the group, or of one of its methods.
async fn row_of(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<Option<Row>, StoreError> {
    if id.as_str().len() > MAX_INTERNAL_ID {
        return Ok(None);
    }
    if let Some(row) = row(tx, app, id).await? {
        return Ok(Some(row));
    }
    match index::read_pointer(tx, &index::method_key(app, id)).await? {
        Some(group) => row(tx, app, &group).await,
        None => Ok(None),
    }
}

/// Finds a user by an id that the caller mapped to one of its internal ids.
///
/// # Errors
/// When the store fails.
pub async fn find_external(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<Option<Found>, StoreError> {
    match index::read_pointer(tx, &index::external_key(app, id)).await? {
        Some(internal) => find_internal(tx, app, &internal).await,
        None => Ok(None),
    }
}

/// The recipe user id with this identity (its e-mail with a password, its account at a provider, …) in a tenant.
///
/// # Errors
/// When the store fails.
pub async fn find_identity(
    tx: &mut dyn Tx,
    app: &AppId,
    tenant: &TenantId,
    recipe: RecipeId,
    identity: &AccountInfo,
) -> Result<Option<Found>, StoreError> {
    match index::read_pointer(tx, &identity_key(app, tenant, recipe, identity)).await? {
        Some(id) => find_internal(tx, app, &id).await,
        None => Ok(None),
    }
}

/// The id of the primary user that has reserved this account info in a tenant.
///
/// # Errors
/// When the store fails.
pub async fn reserved_by(
    tx: &mut dyn Tx,
    app: &AppId,
    tenant: &TenantId,
    info: &AccountInfo,
) -> Result<Option<UserId>, StoreError> {
    index::read_pointer(tx, &index::reservation_key(app, tenant, info)).await
}

/// The reason users cannot be saved. Nothing has been written; committing the transaction re-checks its reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Another login method of the same recipe has this identity in this tenant.
    Identity {
        /// The tenant.
        tenant: TenantId,
        /// The identity.
        info: AccountInfo,
        /// Internal id of the method that has it.
        by: UserId,
    },
    /// Another primary user has this account info in this tenant.
    Reservation {
        /// The tenant.
        tenant: TenantId,
        /// The account info.
        info: AccountInfo,
        /// Internal id of that primary user.
        by: UserId,
    },
    /// The id is in use: an external id of another user, or a recipe user id.
    Id {
        /// The internal id that it belongs to.
        by: UserId,
    },
}

/// Adjusts `taken` for a change of a login of `user`: if something is both another user's login and reserved by another
/// primary user, the reservation is reported.
///
/// # Errors
/// When the store fails.
pub async fn reservation_first(tx: &mut dyn Tx, app: &AppId, user: &User, taken: Taken) -> Result<Taken, StoreError> {
    let Taken::Identity { info, .. } = &taken else { return Ok(taken) };
    for tenant in user.tenants().into_iter().filter(|_| user.is_primary) {
        if let Some(by) = reserved_by(tx, app, tenant, info).await?.filter(|by| *by != user.id) {
            return Ok(Taken::Reservation { tenant: tenant.clone(), info: info.clone(), by });
        }
    }
    Ok(taken)
}

/// Replaces the users in `before`, as read by this transaction, with those in `after`, including every index key.
///
/// Either may be empty: a new user has no before, a deleted one no after; linking takes two and leaves one. Conflicts
/// are reported in the order identities, reservations (accounts at providers, e-mails, phone numbers), ids.
///
/// # Errors
/// When the store fails.
pub async fn save(
    tx: &mut dyn Tx,
    app: &AppId,
    before: &[&User],
    after: &[&User],
) -> Result<Result<(), Taken>, StoreError> {
    let change = IndexUpdate::new(app, before, after);
    match change.taken(tx).await? {
        Some(taken) => Ok(Err(taken)),
        None => change.write(tx).await.map(Ok),
    }
}

/// Returns what prevents a [`save`], without writing anything.
///
/// # Errors
/// When the store fails.
pub async fn taken(
    tx: &mut dyn Tx,
    app: &AppId,
    before: &[&User],
    after: &[&User],
) -> Result<Option<Taken>, StoreError> {
    IndexUpdate::new(app, before, after).taken(tx).await
}

/// The second half of [`save`], after this transaction has found that nothing is [`taken`].
///
/// # Errors
/// When the store fails, or a record is too large.
pub async fn write(tx: &mut dyn Tx, app: &AppId, before: &[&User], after: &[&User]) -> Result<(), StoreError> {
    IndexUpdate::new(app, before, after).write(tx).await
}

/// A change of users, with the index keys before and after.
struct IndexUpdate<'a> {
    app: &'a AppId,
    before: &'a [&'a User],
    after: &'a [&'a User],
    old: BTreeMap<Key, Option<Pointer>>,
    new: BTreeMap<Key, Option<Pointer>>,
    /// Set if two login methods to be saved claim the same identity; a key can hold only one.
    double: Option<Taken>,
}

impl<'a> IndexUpdate<'a> {
    fn new(app: &'a AppId, before: &'a [&'a User], after: &'a [&'a User]) -> Self {
        let entries = |users: &'a [&'a User]| users.iter().flat_map(|user| index::entries(app, user));
        let old = entries(before).map(|entry| (entry.key, entry.pointer)).collect();
        let (mut new, mut double) = (BTreeMap::new(), None);
        for IndexEntry { key, pointer } in entries(after) {
            let claims = pointer.as_ref().is_some_and(Pointer::is_identity);
            let there = new.insert(key, pointer.clone()).flatten();
            if let (true, Some(by), Some(pointer)) = (claims, there, pointer)
                && by.to != pointer.to
            {
                double.get_or_insert_with(|| pointer.taken(by.to));
            }
        }
        Self { app, before, after, old, new, double }
    }

    async fn taken(&self, tx: &mut dyn Tx) -> Result<Option<Taken>, StoreError> {
        if let Some(taken) = &self.double {
            return Ok(Some(taken.clone()));
        }
        // A key that one of the users had before is not new: it is theirs to pass on.
        let added = self.new.iter().filter(|(key, _)| !self.old.contains_key(*key));
        let mut claimed: Vec<_> = added.filter_map(|(key, pointer)| pointer.as_ref().map(|to| (key, to))).collect();
        claimed.sort_by_key(|(_, pointer)| pointer.rank());
        for (key, pointer) in claimed {
            if let Some(by) = index::read_pointer(tx, key).await? {
                return Ok(Some(pointer.clone().taken(by)));
            }
        }
        Ok(None)
    }

    async fn write(&self, tx: &mut dyn Tx) -> Result<(), StoreError> {
        for key in self.old.keys().filter(|key| !self.new.contains_key(*key)) {
            tx.delete(key.clone());
        }
        for (key, pointer) in self.new.iter().filter(|(key, pointer)| self.old.get(*key) != Some(*pointer)) {
            index::put(tx, key, pointer.as_ref())?;
        }
        for key in plain::obsolete_copies(self.app, self.before, self.after) {
            if self.new.contains_key(&key) {
                index::put(tx, &key, None)?;
            }
        }
        let kept: BTreeSet<_> = self.after.iter().map(|user| &user.id).collect();
        for user in self.before.iter().filter(|user| !kept.contains(&user.id)) {
            tx.delete(row_key(self.app, &user.id));
        }
        for user in self.after.iter().filter(|user| !self.before.contains(user)) {
            put_row(tx, self.app, user).await?;
        }
        count::change(tx, self.app, self.before, self.after);
        Ok(())
    }
}

/// Takes up to `limit` users out of a tenant that is being removed. Returns how many index keys were found: 0 when no
/// user is left in it.
///
/// # Errors
/// When the store fails.
pub async fn leave_tenant(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId, limit: usize) -> Result<usize, StoreError> {
    let start = Key::of_tenant(Keyspace::UserListing, app, tenant);
    let rows = tx.scan(&Scan { end: start.prefix_end(), start, reverse: false, limit }).await?;
    let ids: BTreeSet<UserId> = rows.iter().filter_map(|(key, _)| parse_listing_key(key)).map(|(_, id)| id).collect();
    for (key, _) in &rows {
        tx.delete(key.clone());
    }
    for id in ids {
        let Some(user) = get(tx, app, &id).await? else { continue };
        let mut left = user.clone();
        for method in &mut left.methods {
            method.tenants.remove(tenant);
        }
        // Leaving claims nothing, so nothing can be taken.
        let _ = save(tx, app, &[&user], &[&left]).await?;
    }
    Ok(rows.len())
}
