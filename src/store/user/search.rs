//! Finding users by what they sign in with: exact look-up, and search by prefix.
//!
//! Both read [`Keyspace::AccountInfo`] with bounded scans, and then the rows behind those keys that do not hold a copy
//! of the user. Users found are for display only: they may lack their password hash.
//!
//! [`Keyspace::AccountInfo`]: crate::store::Keyspace::AccountInfo

use super::index::{info_key, info_value_key, parse_info_key};
use super::{Kind, Row, Search, plain, row_of};
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::user::{LoginMethod, LookUp, Position, SearchTags};
use crate::store::{Encoding, Key, Scan, StoreError, Tx};
use std::collections::BTreeMap;

/// The maximum number of users found by one search (CDI: `GET /users`).
pub const MAX_FOUND: usize = 1000;
/// Index keys read for one value of a tag.
const KEYS_PER_VALUE: usize = 2000;
/// Login methods examined for one tag.
const METHODS_PER_TAG: usize = 10_000;
/// Attempts to find a login method that is no longer where the index says.
const MAX_ATTEMPTS: usize = 3;
/// Rows read before other tasks get the thread.
const ROWS_AT_ONCE: usize = 64;

/// The users with a login method in this tenant that has exactly this info, up to [`MAX_FOUND`]. A commit re-checks
/// every user found.
///
/// # Errors
/// When the store fails.
pub async fn with_info(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId, info: &LookUp) -> Result<Vec<Row>, StoreError> {
    let prefix = match info {
        LookUp::Info(info) => info_key(app, tenant, info),
        LookUp::Credential(id) => info_value_key(app, tenant, Kind::Credential, Search::Exact(id)),
    };
    let mut methods = Methods::new();
    for (key, mut value) in tx.scan(&within(prefix, MAX_FOUND)).await? {
        if !value.is_empty() {
            // A commit re-checks what was read by key, but not what a scan has found.
            value = tx.get(&key).await?.unwrap_or_default();
        }
        note(&mut methods, tx.encoding(), tenant, &key, &value)?;
    }
    let found = users_of(tx, app, methods, |method| method.tenants.contains(tenant)).await?;
    Ok(found.into_values().collect())
}

/// The users with a login method in this tenant that matches the tags, oldest first, up to [`MAX_FOUND`].
///
/// If very many login methods match a value, only the first ones in index order are considered.
///
/// # Errors
/// When the store fails.
pub async fn search(
    tx: &mut dyn Tx,
    app: &AppId,
    tenant: &TenantId,
    tags: &SearchTags,
) -> Result<Vec<Row>, StoreError> {
    let by_tag: [(&[String], &[Kind]); 3] = [
        (&tags.emails, &[Kind::Email, Kind::EmailDomain]),
        (&tags.phones, &[Kind::PhoneNumber]),
        (&tags.providers, &[Kind::Provider]),
    ];
    // A method must be in every tag's set: it is enough to look at the smallest complete one.
    let mut smallest: Option<(bool, Methods)> = None;
    for (values, kinds) in by_tag.into_iter().filter(|(values, _)| !values.is_empty()) {
        let found = candidates(tx, app, tenant, values, kinds).await?;
        let better = smallest.as_ref().is_none_or(|best| (found.0, found.1.len()) < (best.0, best.1.len()));
        if better {
            smallest = Some(found);
        }
    }
    let Some((_, methods)) = smallest else { return Ok(Vec::new()) };
    let fits = |method: &LoginMethod| method.tenants.contains(tenant) && tags.matches(&method.login);
    Ok(users_of(tx, app, methods, fits).await?.into_values().collect())
}

/// Login methods by id, with the copies of plain users found in their keys.
type Methods = BTreeMap<UserId, Option<Row>>;

/// Login methods that may match one of a tag's values, and whether there may be more.
async fn candidates(
    tx: &mut dyn Tx,
    app: &AppId,
    tenant: &TenantId,
    values: &[String],
    kinds: &[Kind],
) -> Result<(bool, Methods), StoreError> {
    let mut methods = Methods::new();
    let mut cut = false;
    for value in values {
        for kind in kinds {
            let prefix = info_value_key(app, tenant, *kind, Search::Prefix(value));
            cut |= methods_with(tx, tenant, prefix, KEYS_PER_VALUE, &mut methods).await?;
        }
        tokio::task::yield_now().await;
        if methods.len() >= METHODS_PER_TAG {
            return Ok((true, methods));
        }
    }
    Ok((cut, methods))
}

/// Adds the login methods behind up to `limit` keys; true if there were that many.
async fn methods_with(
    tx: &mut dyn Tx,
    tenant: &TenantId,
    prefix: Key,
    limit: usize,
    methods: &mut Methods,
) -> Result<bool, StoreError> {
    let rows = tx.scan(&within(prefix, limit)).await?;
    for (key, value) in &rows {
        note(methods, tx.encoding(), tenant, key, value)?;
    }
    Ok(rows.len() == limit)
}

fn within(prefix: Key, limit: usize) -> Scan {
    Scan { end: prefix.prefix_end(), start: prefix, reverse: false, limit }
}

/// Adds the login method in a key, with the copy in its value.
fn note(
    methods: &mut Methods,
    encoding: Encoding,
    tenant: &TenantId,
    key: &Key,
    value: &[u8],
) -> Result<(), StoreError> {
    let Some(named) = parse_info_key(key) else { return Ok(()) };
    let shown = plain::searched(encoding, tenant, key, &named, value)?;
    let known = methods.entry(named.id).or_default();
    *known = known.take().or(shown);
    Ok(())
}

/// The users of the login methods that match, oldest first, up to [`MAX_FOUND`].
async fn users_of(
    tx: &mut dyn Tx,
    app: &AppId,
    methods: Methods,
    fits: impl Fn(&LoginMethod) -> bool,
) -> Result<BTreeMap<Position, Row>, StoreError> {
    let mut users = BTreeMap::new();
    for (index, (id, shown)) in methods.into_iter().enumerate() {
        if index % ROWS_AT_ONCE == ROWS_AT_ONCE - 1 {
            tokio::task::yield_now().await;
        }
        let row = match shown {
            Some(row) => row,
            // It may have been removed or changed since the scan.
            None => match row_behind(tx, app, &id).await? {
                Some(row) => row,
                None => continue,
            },
        };
        if row.user.method(&id).is_some_and(&fits) {
            users.insert(row.user.position(), row);
        }
        if users.len() == MAX_FOUND {
            break;
        }
    }
    Ok(users)
}

/// The row of a login method found in an index. While it is being linked or unlinked, the pointer may lead to the old
/// row: another attempt finds the new one.
async fn row_behind(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<Option<Row>, StoreError> {
    for _ in 1..MAX_ATTEMPTS {
        if let Some(row) = row_of(tx, app, id).await? {
            return Ok(Some(row));
        }
    }
    row_of(tx, app, id).await
}
