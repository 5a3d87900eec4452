//! Cross-references: both rows of an assignment agree and their role exists, and permissions lead to their roles.

use super::assignment::{RoleUserRecord, UserRoleRecord, index_of, row_of};
use super::removal::RemovedRole;
use super::{RoleRecord, incarnation, permission_key, role_key};
use crate::domain::ids::AppId;
use crate::domain::userroles::{Incarnation, Permission, RoleName};
use crate::store::cross_references::{CrossReferences, Rows, finish_examination};
use crate::store::key::KeyReader;
use crate::store::{Engine, Key, Keyspace, StoreError, Tx, codec};

/// Walks all roles, assignments and the index by permission. Works while the server runs: related rows are read as of
/// one moment.
///
/// # Errors
/// When the store fails. A row that cannot be decoded is reported, not an error.
pub async fn check(engine: &dyn Engine) -> Result<CrossReferences, StoreError> {
    let mut found = CrossReferences::default();
    for keyspace in [Keyspace::Role, Keyspace::RoleByPermission, Keyspace::UserRole, Keyspace::RoleUser] {
        let mut rows = Rows::of(engine, keyspace);
        while let Some((key, _)) = rows.advance().await? {
            match keyspace {
                Keyspace::Role | Keyspace::UserRole => found.rows += 1,
                _ => found.index_keys += 1,
            }
            examine(engine, &key, &mut found).await?;
        }
    }
    Ok(found)
}

/// Reports the defects of a row, as of one moment.
async fn examine(engine: &dyn Engine, key: &Key, found: &mut CrossReferences) -> Result<(), StoreError> {
    loop {
        let mut tx = engine.begin();
        let wrong = match key.keyspace {
            Keyspace::Role => role(tx.as_mut(), key).await,
            Keyspace::RoleByPermission => permission(tx.as_mut(), key).await,
            Keyspace::UserRole => user_role(tx.as_mut(), key).await,
            _ => role_user(tx.as_mut(), key).await,
        };
        match finish_examination(tx, wrong).await? {
            None => continue,
            Some(Ok(Some(what))) => found.report(format!("{key} {what}")),
            Some(Ok(None)) => {}
            Some(Err(damaged)) => found.report(damaged.to_string()),
        }
        return Ok(());
    }
}

const NO_KEY: Option<&str> = Some("is not the key of a role");

async fn role(tx: &mut dyn Tx, key: &Key) -> Result<Option<&'static str>, StoreError> {
    let Some(record) = codec::get::<RoleRecord>(tx, key).await? else { return Ok(None) };
    let Some((app, [name])) = parts(key) else { return Ok(NO_KEY) };
    let name = RoleName::from_stored(name);
    for permission in &record.0.permissions {
        if tx.get(&permission_key(&app, permission, &name)).await?.is_none() {
            return Ok(Some("is not found by one of its permissions"));
        }
    }
    Ok(None)
}

async fn permission(tx: &mut dyn Tx, key: &Key) -> Result<Option<&'static str>, StoreError> {
    if tx.get(key).await?.is_none() {
        return Ok(None);
    }
    let Some((app, [permission, name])) = parts(key) else { return Ok(NO_KEY) };
    let role = codec::get::<RoleRecord>(tx, &role_key(&app, &RoleName::from_stored(name))).await?;
    let has = |role: RoleRecord| role.0.permissions.contains(&Permission::from_stored(permission));
    Ok((!role.is_some_and(has)).then_some("leads to a role without this permission"))
}

async fn user_role(tx: &mut dyn Tx, key: &Key) -> Result<Option<&'static str>, StoreError> {
    let Some(record) = codec::get::<UserRoleRecord>(tx, key).await? else { return Ok(None) };
    let Some((app, [_user, _tenant, name])) = parts(key) else { return Ok(NO_KEY) };
    let Some(twin) = row_of(key) else { return Ok(NO_KEY) };
    let twin = codec::get::<RoleUserRecord>(tx, &twin).await?;
    if twin.is_none_or(|twin| twin.incarnation != record.incarnation) {
        return Ok(Some("is not among the role's users"));
    }
    outlived(tx, app, RoleName::from_stored(name), record.incarnation).await
}

async fn role_user(tx: &mut dyn Tx, key: &Key) -> Result<Option<&'static str>, StoreError> {
    let Some(record) = codec::get::<RoleUserRecord>(tx, key).await? else { return Ok(None) };
    let Some(twin) = index_of(key) else { return Ok(NO_KEY) };
    let twin = codec::get::<UserRoleRecord>(tx, &twin).await?;
    // Whether the role exists is checked with the other row.
    Ok(twin.is_none_or(|twin| twin.incarnation != record.incarnation).then_some("is not among the user's roles"))
}

/// An assignment may outlive its role only while the role's removal is under way.
async fn outlived(
    tx: &mut dyn Tx,
    app: AppId,
    role: RoleName,
    named: Incarnation,
) -> Result<Option<&'static str>, StoreError> {
    if incarnation(tx, &app, &role).await? == Some(named) {
        return Ok(None);
    }
    let removed = RemovedRole { app, role, incarnation: named };
    let under_way = tx.get(&removed.marker_key()).await?.is_some();
    Ok((!under_way).then_some("refers to a role that no longer exists"))
}

/// Parses the app and the texts after it.
fn parts<const N: usize>(key: &Key) -> Option<(AppId, [String; N])> {
    let mut parts = KeyReader::new(key);
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    let texts: Option<Vec<String>> = (0..N).map(|_| parts.text()).collect();
    Some((app, texts?.try_into().ok()?))
}
