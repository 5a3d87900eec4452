//! Password-reset tokens at rest.
//!
//! * [`Keyspace::PasswordResetToken`]: (domain, app, token hash) → [`ResetTokenRecord`]. A token is of the whole app.
//! * [`Keyspace::PasswordResetTokenByUser`]: (domain, app, user) → [`ResetSeriesRecord`], and the same followed by a token
//!   hash → nothing, one for each token. The user is the internal id for which the token was made.
//!
//! The series is the point key that creation and use of tokens agree on, so that of two that meet one runs again: a token
//! counts only while the series that it names is the current one.

use super::key::KeyReader;
use super::{Key, Keyspace, Scan, StoreError, Tx, codec};
use crate::domain::ids::{AppId, UserId};
use crate::domain::one_time_token::OneTimeHash;
use crate::domain::time::UnixMillis;
use crate::domain::token_series::{Series, SeriesId, is_over};
use serde::{Deserialize, Serialize};

/// A token that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetTokenRecord {
    /// For whom: an internal id, of a group or of a login method.
    pub user_id: UserId,
    /// The address as it was given.
    pub email: String,
    /// Good until then, that moment included.
    pub expires: UnixMillis,
    /// It counts only in this series.
    pub series: SeriesId,
}

crate::record!(ResetTokenRecord, PasswordResetToken, version 1);

/// The living tokens of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResetSeriesRecord(pub Series);

crate::record!(ResetSeriesRecord, PasswordResetTokenByUser, version 2 after ResetSeriesRecordV1);

/// [`ResetSeriesRecord`] before tokens were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetSeriesRecordV1 {
    id: SeriesId,
    expires: UnixMillis,
}

crate::record!(ResetSeriesRecordV1, PasswordResetTokenByUser, version 1);

impl From<ResetSeriesRecordV1> for ResetSeriesRecord {
    fn from(ResetSeriesRecordV1 { id, expires }: ResetSeriesRecordV1) -> Self {
        Self(Series { id, expires, tokens: Vec::new() })
    }
}

/// Token rows deleted together with their series: all, unless there are many that were made before they were counted. What
/// is left of those is dead and goes when it expires.
const DELETED_AT_ONCE: usize = 256;

/// Where a token lives.
#[must_use]
pub fn token_key(app: &AppId, hash: &OneTimeHash) -> Key {
    Key::of_app(Keyspace::PasswordResetToken, app).raw(hash.as_bytes())
}

/// Where the series of a user lives; every index key of its tokens begins with it.
#[must_use]
pub fn series_key(app: &AppId, user: &UserId) -> Key {
    Key::of_app(Keyspace::PasswordResetTokenByUser, app).user(user)
}

/// The token with this hash.
///
/// # Errors
/// When the store fails.
pub async fn token(tx: &mut dyn Tx, app: &AppId, hash: &OneTimeHash) -> Result<Option<ResetTokenRecord>, StoreError> {
    codec::get(tx, &token_key(app, hash)).await
}

/// The series with a user's living tokens, if there is one.
///
/// # Errors
/// When the store fails.
pub async fn series(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<Option<Series>, StoreError> {
    let record: Option<ResetSeriesRecord> = codec::get(tx, &series_key(app, user)).await?;
    Ok(record.map(|ResetSeriesRecord(series)| series))
}

/// Adds a token to the series that it names: the one that [`series`] has read, or a new one. If it is one too many, the
/// oldest goes.
///
/// # Errors
/// When a key is too long.
pub fn add(
    tx: &mut dyn Tx,
    app: &AppId,
    hash: &OneTimeHash,
    mut series: Series,
    token: &ResetTokenRecord,
) -> Result<(), StoreError> {
    let key = series_key(app, &token.user_id);
    if let Some(oldest) = series.add(*hash, token.expires) {
        tx.delete(key.clone().raw(oldest.as_bytes()));
        tx.delete(token_key(app, &oldest));
    }
    codec::put(tx, key.clone(), &ResetSeriesRecord(series))?;
    codec::put_marker(tx, key.raw(hash.as_bytes()));
    codec::put(tx, token_key(app, hash), token)
}

/// Ends the series that [`series`] has read: none of its tokens is good any more.
///
/// # Errors
/// When the store fails.
pub async fn end(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<(), StoreError> {
    delete(tx, app, user, DELETED_AT_ONCE).await
}

/// Ends the series of these internal ids of a person, because one of the person's addresses is no more what it was: whoever
/// reads that mailbox has their links.
///
/// # Errors
/// When the store fails.
pub async fn end_of<'a>(
    tx: &mut dyn Tx,
    app: &AppId,
    ids: impl IntoIterator<Item = &'a UserId>,
) -> Result<(), StoreError> {
    for id in ids {
        if series(tx, app, id).await?.is_some() {
            end(tx, app, id).await?;
        }
    }
    Ok(())
}

/// Deletes every token of a user (an internal id).
///
/// # Errors
/// When the store fails.
pub async fn remove_user(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<(), StoreError> {
    // Read, so that a token made meanwhile is seen: a scan alone is not checked again.
    series(tx, app, user).await?;
    delete(tx, app, user, usize::MAX).await
}

async fn delete(tx: &mut dyn Tx, app: &AppId, user: &UserId, limit: usize) -> Result<(), StoreError> {
    let start = series_key(app, user);
    let scan = Scan { end: start.prefix_end(), start: start.clone(), reverse: false, limit };
    for (key, _) in tx.scan(&scan).await? {
        if let Some(hash) = key.bytes.get(start.bytes.len()..).and_then(|rest| rest.try_into().ok()) {
            tx.delete(token_key(app, &OneTimeHash::from_bytes(hash)));
        }
        tx.delete(key);
    }
    Ok(())
}

/// Deletes a token that is over and, if it was the last one, its series. Returns false when it lives after all.
///
/// # Errors
/// When the store fails.
pub async fn delete_expired(tx: &mut dyn Tx, key: &Key, now: UnixMillis) -> Result<bool, StoreError> {
    let Some((app, hash)) = parse_token_key(key) else { return Ok(false) };
    let Some(record) = codec::get::<ResetTokenRecord>(tx, key).await? else { return Ok(false) };
    if !is_over(record.expires, now) {
        return Ok(false);
    }
    let series_key = series_key(&app, &record.user_id);
    if series(tx, &app, &record.user_id).await?.is_some_and(|series| is_over(series.expires, now)) {
        tx.delete(series_key.clone());
    }
    tx.delete(series_key.raw(hash.as_bytes()));
    tx.delete(key.clone());
    Ok(true)
}

fn parse_token_key(key: &Key) -> Option<(AppId, OneTimeHash)> {
    let mut parts = KeyReader::new(key);
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    Some((app, OneTimeHash::from_bytes(parts.rest().try_into().ok()?)))
}
