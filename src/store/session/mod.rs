//! Sessions at rest: one row per session, one index key per session and user, one timeline per ended session.
//!
//! * [`Keyspace::Session`]: (domain, app, tenant, handle uuid) → [`SessionRecord`]. The events of an active session are
//!   part of its row, so that a refresh is one write.
//! * [`Keyspace::SessionByUser`]: (domain, app, user, tenant, handle uuid) → nothing. The user comes before the
//!   tenant, because most callers ask for a user's sessions in all tenants: either way it is one range.
//! * [`Keyspace::EndedClients`]: written then, too, if the clients are known; see [`clients`].
//! * [`Keyspace::Timeline`]: written in the transaction that removes the row; see [`super::timeline`].
//!
//! There is no index by expiry: the sweep continuously walks the rows.

mod check;
pub mod clients;

pub use check::check;

use super::codec;
use super::key::KeyReader;
use super::timeline::{self, TimelineRecord};
use super::{Encoding, Key, Keyspace, Scan, StoreError, Tx};
use crate::domain::ids::{AppId, SessionHandle, TenantId, UserId};
use crate::domain::json::{self, JsonObject};
use crate::domain::session::client::SessionClients;
use crate::domain::session::event::{EventKind, UserChange};
use crate::domain::session::family::Family;
use crate::domain::session::timeline::EventLog;
use crate::domain::time::UnixMillis;
use crate::store::user_data::recipe::UserData;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An active session. The handle is in the row's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// The login method's user.
    pub user_id: UserId,
    /// The time of creation.
    pub created: UnixMillis,
    /// The refresh family: hashes, key type, end of life.
    pub family: Family,
    /// The payload of the access token.
    #[serde(with = "json::as_text")]
    pub user_data_in_jwt: JsonObject,
    /// The payload that is kept only in the store.
    #[serde(with = "json::as_text")]
    pub user_data_in_database: JsonObject,
    /// The events so far.
    pub log: EventLog,
    /// The browsers or apps that use it, if they are known.
    pub clients: Option<SessionClients>,
}

crate::record!(SessionRecord, Session, version 2 after SessionRecordV1);

/// The beginning of a [`SessionRecord`]: for what every request needs to know of its session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SessionHead {
    /// As in the record.
    pub user_id: UserId,
    /// As in the record.
    pub created: UnixMillis,
    /// As in the record.
    pub family: Family,
    /// As in the record.
    #[serde(with = "json::as_text")]
    pub user_data_in_jwt: JsonObject,
}

impl From<SessionRecord> for SessionHead {
    fn from(record: SessionRecord) -> Self {
        let SessionRecord { user_id, created, family, user_data_in_jwt, .. } = record;
        Self { user_id, created, family, user_data_in_jwt }
    }
}

/// A session before its clients were recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecordV1 {
    /// The login method's user.
    pub user_id: UserId,
    /// The time of creation.
    pub created: UnixMillis,
    /// The refresh family: hashes, key type, end of life.
    pub family: Family,
    /// The payload of the access token.
    #[serde(with = "json::as_text")]
    pub user_data_in_jwt: JsonObject,
    /// The payload that is kept only in the store.
    #[serde(with = "json::as_text")]
    pub user_data_in_database: JsonObject,
    /// The events so far.
    pub log: EventLog,
}

crate::record!(SessionRecordV1, Session, version 1);

impl From<SessionRecordV1> for SessionRecord {
    fn from(earlier: SessionRecordV1) -> Self {
        let SessionRecordV1 { user_id, created, family, user_data_in_jwt, user_data_in_database, log } = earlier;
        Self { user_id, created, family, user_data_in_jwt, user_data_in_database, log, clients: None }
    }
}

/// The row of a session.
#[must_use]
pub fn row_key(app: &AppId, handle: &SessionHandle) -> Key {
    Key::of_tenant(Keyspace::Session, app, &handle.tenant).raw(handle.uuid.as_bytes())
}

/// The app and the handle in the key of a row or timeline.
#[must_use]
pub fn parse_row_key(key: &Key) -> Option<(AppId, SessionHandle)> {
    let mut parts = KeyReader::new(key);
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    let tenant = TenantId::new(parts.text()?);
    let uuid = Uuid::from_bytes(parts.rest().try_into().ok()?);
    Some((app, SessionHandle { uuid, tenant }))
}

fn user_prefix(app: &AppId, user: &UserId) -> Key {
    Key::of_app(Keyspace::SessionByUser, app).user(user)
}

/// The index key of a session.
#[must_use]
pub fn index_key(app: &AppId, user: &UserId, handle: &SessionHandle) -> Key {
    user_prefix(app, user).text(handle.tenant.as_str()).raw(handle.uuid.as_bytes())
}

/// The index key of a stored row.
///
/// # Errors
/// When the row is damaged.
pub(super) fn index_keys(encoding: Encoding, key: &Key, bytes: &[u8]) -> Result<Vec<Key>, StoreError> {
    let record: SessionRecord = codec::decode(encoding, key, bytes)?;
    Ok(parse_row_key(key).map(|(app, handle)| index_key(&app, &record.user_id, &handle)).into_iter().collect())
}

/// The key of the clients that may be kept next to a stored timeline.
///
/// # Errors
/// When the timeline is damaged.
pub(super) fn clients_keys(encoding: Encoding, key: &Key, bytes: &[u8]) -> Result<Vec<Key>, StoreError> {
    let record: TimelineRecord = codec::decode(encoding, key, bytes)?;
    let handle = parse_row_key(key);
    Ok(handle.map(|(app, handle)| clients::key(&app, &record.user_id, &handle)).into_iter().collect())
}

/// The app and the handle in an index key.
#[must_use]
pub fn parse_index_key(key: &Key) -> Option<(AppId, SessionHandle)> {
    let mut parts = KeyReader::new(key);
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    let _user = parts.text()?;
    let tenant = TenantId::new(parts.text()?);
    let uuid = Uuid::from_bytes(parts.rest().try_into().ok()?);
    Some((app, SessionHandle { uuid, tenant }))
}

/// The session, if there is a row for it; it may be past its end of life.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut dyn Tx, app: &AppId, handle: &SessionHandle) -> Result<Option<SessionRecord>, StoreError> {
    codec::get(tx, &row_key(app, handle)).await
}

/// The same without what comes later in the record.
///
/// # Errors
/// When the store fails.
pub async fn head(tx: &mut dyn Tx, app: &AppId, handle: &SessionHandle) -> Result<Option<SessionHead>, StoreError> {
    codec::get_head::<SessionRecord, SessionHead>(tx, &row_key(app, handle)).await
}

/// Writes a new session: row and index.
///
/// # Errors
/// When the record is too large.
pub fn insert(tx: &mut dyn Tx, app: &AppId, handle: &SessionHandle, record: &SessionRecord) -> Result<(), StoreError> {
    codec::put_marker(tx, index_key(app, &record.user_id, handle));
    update(tx, app, handle, record)
}

/// Writes a session's row. Its user never changes.
///
/// # Errors
/// When the record is too large.
pub fn update(tx: &mut dyn Tx, app: &AppId, handle: &SessionHandle, record: &SessionRecord) -> Result<(), StoreError> {
    codec::put(tx, row_key(app, handle), record)
}

/// The end of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The last entry of its timeline.
    pub event: EventKind,
    /// The time of the end.
    pub at: UnixMillis,
    /// The time until which its timeline is kept; see [`timeline::purge_at`].
    pub purge_at: Option<UnixMillis>,
}

/// Ends a session: deletes its row and index key, and writes its timeline and its clients if they are to be kept. Nothing
/// is kept of the clients of a user who is deleted.
///
/// # Errors
/// When the timeline is too large.
pub fn end(
    tx: &mut dyn Tx,
    app: &AppId,
    handle: &SessionHandle,
    record: SessionRecord,
    ending: Ending,
) -> Result<(), StoreError> {
    tx.delete(row_key(app, handle));
    tx.delete(index_key(app, &record.user_id, handle));
    let Some(purge_at) = ending.purge_at else { return Ok(()) };
    let is_forgotten = matches!(ending.event, EventKind::RevokedWithUser { change: UserChange::Deletion, .. });
    if let Some(known) = record.clients.filter(|_| !is_forgotten) {
        clients::put(tx, app, &record.user_id, handle, known)?;
    }
    let mut log = record.log;
    log.push(ending.at, ending.event);
    let story = TimelineRecord {
        user_id: record.user_id,
        created: record.created,
        ended: ending.at,
        purge_at,
        attempts: None,
        log,
    };
    timeline::put(tx, app, handle, &story)
}

/// Up to `limit` sessions of a user according to the index, in one tenant or in all, starting after `after`.
///
/// Their rows may be gone or expired: check the row.
///
/// # Errors
/// When the store fails.
pub async fn of_user(
    tx: &mut dyn Tx,
    app: &AppId,
    user: &UserId,
    tenant: Option<&TenantId>,
    after: Option<&SessionHandle>,
    limit: usize,
) -> Result<Vec<SessionHandle>, StoreError> {
    let mut prefix = user_prefix(app, user);
    if let Some(tenant) = tenant {
        prefix = prefix.text(tenant.as_str());
    }
    let end = prefix.prefix_end();
    let start = after.map_or(prefix, |handle| index_key(app, user, handle).successor());
    let rows = tx.scan(&Scan { start, end, reverse: false, limit }).await?;
    Ok(rows.iter().filter_map(|(key, _)| parse_index_key(key)).map(|(_, handle)| handle).collect())
}

/// Sessions as user data, including expired ones that have not been removed yet. They end with a timeline, and are not
/// removed here; what is kept of the clients of ended ones is.
pub(super) struct SessionUserData;

#[async_trait]
impl UserData for SessionUserData {
    async fn in_use(&self, tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<bool, StoreError> {
        Ok(!of_user(tx, app, id, None, None, 1).await?.is_empty())
    }

    async fn remove(&self, tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<(), StoreError> {
        clients::remove_user(tx, app, id).await
    }
}
