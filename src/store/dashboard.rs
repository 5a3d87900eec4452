//! Dashboard users and their sessions at rest. All are of the whole app, and none of its users.
//!
//! * [`Keyspace::DashboardUser`]: (domain, app, user id) → [`DashboardUserRecord`].
//! * [`Keyspace::DashboardUserByEmail`]: (domain, app, e-mail) → [`DashboardEmailRecord`]: the point key that makes
//!   addresses unique.
//! * [`Keyspace::DashboardSession`]: (domain, app, hash of the session's id) → [`DashboardSessionRecord`].
//!
//! A session counts only while its user exists and names the series that the session is of: ending all of a user's
//! sessions is one write. Rows of ended sessions stay until they expire.

use super::{Key, Keyspace, Scan, StoreError, Tx, codec};
use crate::domain::ids::{AppId, UserId};
use crate::domain::time::UnixMillis;
use crate::domain::token_hash::TokenHash1;
use crate::domain::token_series::{SeriesId, is_over};
use crate::domain::user::PasswordHash;
use crate::store::key::KeyReader;
use serde::{Deserialize, Serialize};

/// Somebody who may open the dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardUserRecord {
    /// Made here; never changes.
    pub id: UserId,
    /// Normalised; unique in the app.
    pub email: String,
    /// Hash of the password.
    pub password: PasswordHash,
    /// When the user was made.
    pub time_joined: UnixMillis,
    /// Which sessions count.
    pub sessions: SeriesId,
}

crate::record!(DashboardUserRecord, DashboardUser, version 1);

/// Who has an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardEmailRecord {
    /// That user.
    pub user_id: UserId,
}

crate::record!(DashboardEmailRecord, DashboardUserByEmail, version 1);

/// A sign-in to the dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardSessionRecord {
    /// Whose.
    pub user_id: UserId,
    /// It counts only in this series.
    pub series: SeriesId,
    /// Since when.
    pub created: UnixMillis,
    /// Good until then, that moment included.
    pub expires: UnixMillis,
}

crate::record!(DashboardSessionRecord, DashboardSession, version 1);

impl DashboardSessionRecord {
    /// Whether the session is good for `user` at this moment.
    #[must_use]
    pub fn counts_for(&self, user: &DashboardUserRecord, now: UnixMillis) -> bool {
        self.user_id == user.id && self.series == user.sessions && !is_over(self.expires, now)
    }
}

/// Where a user lives.
#[must_use]
pub fn user_key(app: &AppId, user: &UserId) -> Key {
    Key::of_app(Keyspace::DashboardUser, app).user(user)
}

/// Where it stands who has an address.
#[must_use]
pub fn email_key(app: &AppId, email: &str) -> Key {
    Key::of_app(Keyspace::DashboardUserByEmail, app).bounded_text(email)
}

/// Where a session lives.
#[must_use]
pub fn session_key(app: &AppId, hash: &TokenHash1) -> Key {
    Key::of_app(Keyspace::DashboardSession, app).raw(hash.as_bytes())
}

/// The user with this id.
///
/// # Errors
/// When the store fails.
pub async fn user(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<Option<DashboardUserRecord>, StoreError> {
    codec::get(tx, &user_key(app, id)).await
}

/// The user with this address.
///
/// # Errors
/// When the store fails.
pub async fn user_by_email(
    tx: &mut dyn Tx,
    app: &AppId,
    email: &str,
) -> Result<Option<DashboardUserRecord>, StoreError> {
    match codec::get::<DashboardEmailRecord>(tx, &email_key(app, email)).await? {
        Some(found) => user(tx, app, &found.user_id).await,
        None => Ok(None),
    }
}

/// All users of an app, oldest first.
///
/// # Errors
/// When the store fails.
pub async fn users(tx: &mut dyn Tx, app: &AppId) -> Result<Vec<DashboardUserRecord>, StoreError> {
    let rows = codec::scan(tx, &all_of(Keyspace::DashboardUser, app)).await?;
    let mut users: Vec<DashboardUserRecord> = rows.into_iter().map(|(_, user)| user).collect();
    users.sort_by(|one, other| (one.time_joined, &one.id).cmp(&(other.time_joined, &other.id)));
    Ok(users)
}

/// Writes a user, a new one or in place of `before`. `false`: somebody else has the address; nothing is written.
///
/// # Errors
/// When the store fails.
pub async fn save(
    tx: &mut dyn Tx,
    app: &AppId,
    before: Option<&DashboardUserRecord>,
    after: &DashboardUserRecord,
) -> Result<bool, StoreError> {
    if before.is_none_or(|before| before.email != after.email) {
        let key = email_key(app, &after.email);
        if tx.get(&key).await?.is_some() {
            return Ok(false);
        }
        if let Some(before) = before {
            tx.delete(email_key(app, &before.email));
        }
        codec::put(tx, key, &DashboardEmailRecord { user_id: after.id.clone() })?;
    }
    codec::put(tx, user_key(app, &after.id), after)?;
    Ok(true)
}

/// Deletes a user, and with it what makes its sessions count.
pub fn remove(tx: &mut dyn Tx, app: &AppId, user: &DashboardUserRecord) {
    tx.delete(email_key(app, &user.email));
    tx.delete(user_key(app, &user.id));
}

/// The session with this hash, whether it counts or not.
///
/// # Errors
/// When the store fails.
pub async fn session(
    tx: &mut dyn Tx,
    app: &AppId,
    hash: &TokenHash1,
) -> Result<Option<DashboardSessionRecord>, StoreError> {
    codec::get(tx, &session_key(app, hash)).await
}

/// The sessions of a user that count, oldest first. Looks at all of the app: there are as many as operators who signed
/// in during one lifetime.
///
/// # Errors
/// When the store fails.
pub async fn sessions_of(
    tx: &mut dyn Tx,
    app: &AppId,
    user: &DashboardUserRecord,
    now: UnixMillis,
) -> Result<Vec<(TokenHash1, DashboardSessionRecord)>, StoreError> {
    let rows = codec::scan::<DashboardSessionRecord>(tx, &all_of(Keyspace::DashboardSession, app)).await?;
    let own = rows.into_iter().filter(|(_, session)| session.counts_for(user, now));
    let mut found: Vec<_> = own.filter_map(|(key, session)| Some((hash_of(&key)?, session))).collect();
    found.sort_by_key(|(_, session)| session.created);
    Ok(found)
}

fn all_of(keyspace: Keyspace, app: &AppId) -> Scan {
    let start = Key::of_app(keyspace, app);
    Scan { end: start.prefix_end(), start, reverse: false, limit: usize::MAX }
}

fn hash_of(key: &Key) -> Option<TokenHash1> {
    let mut parts = KeyReader::new(key);
    let _app = (parts.text()?, parts.text()?);
    Some(TokenHash1::from_bytes(parts.rest().try_into().ok()?))
}
