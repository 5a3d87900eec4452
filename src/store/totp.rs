//! Authenticator apps at rest.
//!
//! * [`Keyspace::TotpDevices`]: (domain, app, user) → [`TotpDevicesRecord`]. Devices belong to the whole app; the user
//!   is the id that callers use.
//! * [`Keyspace::TotpAttempts`]: (domain, app, tenant, user) → [`TotpAttemptsRecord`].
//! * [`Keyspace::TotpAttemptsByUser`]: (domain, app, user, tenant) → nothing, one for each row of attempts.
//!
//! The rows are the point keys shared by requests: verifying a code reads both rows and writes that of the attempts, so
//! that of two concurrent requests one runs again. A user's first attempt in a tenant writes the devices too, so that
//! their removal does not miss it.

use super::key::KeyReader;
use super::{Key, Keyspace, Scan, StoreError, Tx, codec};
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::time::{Reading, UnixMillis};
use crate::domain::totp::attempts::Attempts;
use crate::domain::totp::{Code, Pace};
use crate::store::user_data::recipe::UserData;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// All authenticator apps of a user; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpDevicesRecord {
    /// The user's id, because a key contains only the hash of a long id.
    pub user_id: UserId,
    /// In order of creation.
    pub devices: Vec<TotpDevice>,
}

/// An authenticator app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpDevice {
    /// The name, unique for the user.
    pub name: String,
    /// The secret shared with the authenticator app, sealed under a key of the app.
    pub sealed_secret: Vec<u8>,
    /// The period of its codes, and which of them are accepted.
    pub pace: Pace,
    /// True if it has produced a correct code, or was imported.
    pub verified: bool,
    /// The time of creation.
    pub created: UnixMillis,
}

crate::record!(TotpDevicesRecord, TotpDevices, version 1);

/// The relevant part of a user's attempts in a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpAttemptsRecord {
    /// Times of the wrong codes since the last correct one, oldest first.
    pub failures: Vec<Reading>,
    /// Used codes, and the time until which each is remembered.
    pub used: Vec<(Code, UnixMillis)>,
}

crate::record!(TotpAttemptsRecord, TotpAttempts, version 2 after TotpAttemptsRecordV1);

/// Attempts before they were timed with the steady clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpAttemptsRecordV1 {
    /// Times of the wrong codes since the last correct one, oldest first.
    pub failures: Vec<UnixMillis>,
    /// Used codes, and the time until which each is remembered.
    pub used: Vec<(Code, UnixMillis)>,
}

crate::record!(TotpAttemptsRecordV1, TotpAttempts, version 1);

impl From<TotpAttemptsRecordV1> for TotpAttemptsRecord {
    fn from(TotpAttemptsRecordV1 { failures, used }: TotpAttemptsRecordV1) -> Self {
        Self { failures: failures.into_iter().map(Reading::of_wall).collect(), used }
    }
}

impl From<TotpAttemptsRecord> for Attempts {
    fn from(record: TotpAttemptsRecord) -> Self {
        Self { failures: record.failures, used: record.used }
    }
}

/// The key of a user's devices.
#[must_use]
pub fn devices_key(app: &AppId, user: &UserId) -> Key {
    Key::of_app(Keyspace::TotpDevices, app).user(user)
}

/// The key of a user's attempts in a tenant.
#[must_use]
pub fn attempts_key(app: &AppId, tenant: &TenantId, user: &UserId) -> Key {
    Key::of_tenant(Keyspace::TotpAttempts, app, tenant).user(user)
}

/// A user's devices; empty for a user that never had one.
///
/// # Errors
/// When the store fails.
pub async fn devices(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<Vec<TotpDevice>, StoreError> {
    let record = codec::get::<TotpDevicesRecord>(tx, &devices_key(app, user)).await?;
    Ok(record.map(|record| record.devices).unwrap_or_default())
}

/// Writes a user's devices. If there are none left, deletes everything kept for the user.
///
/// # Errors
/// When the store fails or there are too many.
pub async fn put_devices(
    tx: &mut dyn Tx,
    app: &AppId,
    user: &UserId,
    devices: Vec<TotpDevice>,
) -> Result<(), StoreError> {
    if devices.is_empty() {
        return remove_user(tx, app, user).await;
    }
    codec::put(tx, devices_key(app, user), &TotpDevicesRecord { user_id: user.clone(), devices })
}

/// The relevant part of a user's attempts in a tenant; `None` if there is no row.
///
/// # Errors
/// When the store fails.
pub async fn attempts(
    tx: &mut dyn Tx,
    app: &AppId,
    tenant: &TenantId,
    user: &UserId,
) -> Result<Option<Attempts>, StoreError> {
    let record = codec::get::<TotpAttemptsRecord>(tx, &attempts_key(app, tenant, user)).await?;
    Ok(record.map(Attempts::from))
}

/// A user's attempts in all tenants but this one.
///
/// # Errors
/// When the store fails.
pub async fn attempts_elsewhere(
    tx: &mut dyn Tx,
    app: &AppId,
    tenant: &TenantId,
    user: &UserId,
) -> Result<Vec<(TenantId, Attempts)>, StoreError> {
    let mut found = Vec::new();
    for other in attempted_tenants(tx, app, user).await? {
        if other != *tenant
            && let Some(attempts) = attempts(tx, app, &other, user).await?
        {
            found.push((other, attempts));
        }
    }
    Ok(found)
}

/// The tenants in which a user has attempts. Whoever reads the devices, too, conflicts with the first attempt in another.
async fn attempted_tenants(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<Vec<TenantId>, StoreError> {
    let start = by_user(app, user);
    let skip = start.bytes.len();
    let scan = Scan { end: start.prefix_end(), start, reverse: false, limit: usize::MAX };
    let tenant = |key: &Key| KeyReader::after(key, skip)?.text().map(TenantId::new);
    Ok(tx.scan(&scan).await?.iter().filter_map(|(key, _)| tenant(key)).collect())
}

/// Writes a user's attempts in a tenant.
///
/// # Errors
/// When there are too many.
pub fn put_attempts(
    tx: &mut dyn Tx,
    app: &AppId,
    tenant: &TenantId,
    user: &UserId,
    attempts: Attempts,
) -> Result<(), StoreError> {
    let Attempts { failures, used } = attempts;
    let key = attempts_key(app, tenant, user);
    codec::put_marker(tx, by_user(app, user).text(tenant.as_str()));
    codec::put(tx, key, &TotpAttemptsRecord { failures, used })
}

/// Deletes a row of attempts.
pub fn remove_attempts(tx: &mut dyn Tx, key: Key) {
    if let Some(index) = index_of(&key) {
        tx.delete(index);
    }
    tx.delete(key);
}

/// True if there is a device under this id.
///
/// # Errors
/// When the store fails.
pub async fn in_use(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<bool, StoreError> {
    Ok(tx.get(&devices_key(app, user)).await?.is_some())
}

/// Deletes everything that is stored under this user id, in all tenants.
///
/// # Errors
/// When the store fails.
pub async fn remove_user(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<(), StoreError> {
    // Read so that an attempt that is not found below is a conflict.
    tx.get(&devices_key(app, user)).await?;
    tx.delete(devices_key(app, user));
    for tenant in attempted_tenants(tx, app, user).await? {
        let row = attempts_key(app, &tenant, user);
        tx.get(&row).await?;
        tx.delete(row);
        tx.delete(by_user(app, user).text(tenant.as_str()));
    }
    Ok(())
}

/// Deletes a user's attempts in one tenant. Devices belong to the whole app.
pub fn remove_user_in(tx: &mut dyn Tx, app: &AppId, tenant: &TenantId, user: &UserId) {
    remove_attempts(tx, attempts_key(app, tenant, user));
}

/// The prefix of all index keys of a user.
fn by_user(app: &AppId, user: &UserId) -> Key {
    Key::of_app(Keyspace::TotpAttemptsByUser, app).user(user)
}

/// The index key that belongs to a row of attempts.
pub(super) fn index_of(key: &Key) -> Option<Key> {
    let (app, tenant, user) = parse_attempts_key(key)?;
    // The user's part unchanged: it may be a hash already.
    Some(Key::of_app(Keyspace::TotpAttemptsByUser, &app).text(&user).text(tenant.as_str()))
}

/// Parses app, tenant and the user's part from the key of a row of attempts.
#[must_use]
pub fn parse_attempts_key(key: &Key) -> Option<(AppId, TenantId, String)> {
    let mut parts = KeyReader::new(key);
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    Some((app, TenantId::new(parts.text()?), parts.text()?))
}

/// Users' authenticator apps as user data.
pub(super) struct TotpUserData;

#[async_trait]
impl UserData for TotpUserData {
    async fn in_use(&self, tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<bool, StoreError> {
        in_use(tx, app, id).await
    }

    async fn remove(&self, tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<(), StoreError> {
        remove_user(tx, app, id).await
    }

    async fn remove_in(&self, tx: &mut dyn Tx, app: &AppId, tenant: &TenantId, id: &UserId) -> Result<(), StoreError> {
        remove_user_in(tx, app, tenant, id);
        Ok(())
    }
}
