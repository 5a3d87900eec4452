//! Dashboard users and their sessions at rest. They belong to the whole app and are separate from its users.
//!
//! * [`Keyspace::DashboardUser`]: (domain, app, user id) → [`DashboardUserRecord`].
//! * [`Keyspace::DashboardUserByEmail`]: (domain, app, e-mail) → [`DashboardEmailRecord`]: the point key that makes
//!   addresses unique.
//! * [`Keyspace::DashboardSession`]: (domain, app, hash of the session's id) → [`DashboardSessionRecord`].
//!
//! A session is valid only while its user exists and refers to the session's series: ending all of a user's sessions is
//! one write. Rows of ended sessions stay until they expire.

use super::{Key, Keyspace, Scan, StoreError, Tx, codec};
use crate::domain::ids::{AppId, UserId};
use crate::domain::time::UnixMillis;
use crate::domain::token_hash::TokenHash1;
use crate::domain::token_series::{SeriesId, is_expired};
use crate::domain::user::PasswordHash;
use crate::store::key::KeyReader;
use serde::{Deserialize, Serialize};

/// A user that may open the dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardUserRecord {
    /// The user's id, generated here; never changes.
    pub id: UserId,
    /// The e-mail address, normalised; unique in the app.
    pub email: String,
    /// Hash of the password.
    pub password: PasswordHash,
    /// The time the user was created.
    pub time_joined: UnixMillis,
    /// The series of valid sessions.
    pub sessions: SeriesId,
}

crate::record!(DashboardUserRecord, DashboardUser, version 1);

/// The user that has an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardEmailRecord {
    /// The user's id.
    pub user_id: UserId,
}

crate::record!(DashboardEmailRecord, DashboardUserByEmail, version 1);

/// A sign-in to the dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardSessionRecord {
    /// The id of the user that signed in.
    pub user_id: UserId,
    /// The series in which the session is valid.
    pub series: SeriesId,
    /// The time of the sign-in.
    pub created: UnixMillis,
    /// The last moment at which the session is valid.
    pub expires: UnixMillis,
}

crate::record!(DashboardSessionRecord, DashboardSession, version 1);

impl DashboardSessionRecord {
    /// Whether the session is valid for `user` at this moment.
    #[must_use]
    pub fn counts_for(&self, user: &DashboardUserRecord, now: UnixMillis) -> bool {
        self.user_id == user.id && self.series == user.sessions && !is_expired(self.expires, now)
    }
}

/// The key of a user.
#[must_use]
pub fn user_key(app: &AppId, user: &UserId) -> Key {
    Key::of_app(Keyspace::DashboardUser, app).user(user)
}

/// The key that leads from an address to its user.
#[must_use]
pub fn email_key(app: &AppId, email: &str) -> Key {
    Key::of_app(Keyspace::DashboardUserByEmail, app).bounded_text(email)
}

/// The key of a session.
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

/// Writes a user, either new or in place of `before`. `false`: another user has the address, and nothing is written.
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

/// Deletes a user, which invalidates its sessions.
pub fn remove(tx: &mut dyn Tx, app: &AppId, user: &DashboardUserRecord) {
    tx.delete(email_key(app, &user.email));
    tx.delete(user_key(app, &user.id));
}

/// The session with this hash, whether valid or not.
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

/// The valid sessions of a user, oldest first. Reads all sessions of the app: there are as many as operators signed in
/// within one session lifetime.
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
