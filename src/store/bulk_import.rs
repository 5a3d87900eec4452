//! Users waiting to be imported, at rest.
//!
//! * [`Keyspace::BulkImport`]: (domain, app, id) → [`BulkImportRecord`]. Ids begin with their time, so keys are in the
//!   order in which the users were added. The id becomes the user's.
//! * [`Keyspace::BulkImportByStatus`]: (domain, app, status, id) → nothing.
//!
//! The row is the point key shared by batches and removals: importing a user reads and deletes its row in the
//! transaction that writes the user.

use super::key::KeyReader;
use super::walk::Pages;
use super::{Key, Keyspace, Scan, StoreError, Tx, codec};
use crate::domain::ids::AppId;
use crate::domain::import::waiting::BulkStatus;
use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A user that is waiting, or that could not be imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkImportRecord {
    /// The progress of the import.
    pub status: BulkStatus,
    /// The reason the user could not be imported.
    pub error: Option<String>,
    /// The time it was added.
    pub created: UnixMillis,
    /// The time of the last change of its status.
    pub updated: UnixMillis,
    /// The user as JSON, sealed under a key of the app: it may hold passwords.
    pub sealed_user: Vec<u8>,
}

crate::record!(BulkImportRecord, BulkImport, version 1);

/// The key of a waiting user.
#[must_use]
pub fn key(app: &AppId, id: &Uuid) -> Key {
    all(app).raw(id.as_bytes())
}

fn all(app: &AppId) -> Key {
    Key::of_app(Keyspace::BulkImport, app)
}

fn by_status(app: &AppId, status: BulkStatus) -> Key {
    Key::of_app(Keyspace::BulkImportByStatus, app).raw(&[status as u8])
}

/// The user with this id.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut dyn Tx, app: &AppId, id: &Uuid) -> Result<Option<BulkImportRecord>, StoreError> {
    codec::get(tx, &key(app, id)).await
}

/// Writes a user, either new or with a status other than `before`, which this transaction has read.
///
/// # Errors
/// When it is too large.
pub fn put(
    tx: &mut dyn Tx,
    app: &AppId,
    id: &Uuid,
    before: Option<BulkStatus>,
    record: &BulkImportRecord,
) -> Result<(), StoreError> {
    if let Some(before) = before {
        tx.delete(by_status(app, before).raw(id.as_bytes()));
    }
    codec::put_marker(tx, by_status(app, record.status).raw(id.as_bytes()));
    codec::put(tx, key(app, id), record)
}

/// Deletes a user that this transaction has read with this status.
pub fn remove(tx: &mut dyn Tx, app: &AppId, id: &Uuid, status: BulkStatus) {
    tx.delete(by_status(app, status).raw(id.as_bytes()));
    tx.delete(key(app, id));
}

/// Ids of users, newest first, starting at `from`: those with one status, or all.
///
/// # Errors
/// When the store fails.
pub async fn newest(
    tx: &mut dyn Tx,
    app: &AppId,
    status: Option<BulkStatus>,
    from: Option<&Uuid>,
    limit: usize,
) -> Result<Vec<Uuid>, StoreError> {
    let start = status.map_or_else(|| all(app), |status| by_status(app, status));
    let end = match from {
        Some(id) => Some(start.clone().raw(id.as_bytes()).successor()),
        None => start.prefix_end(),
    };
    ids(tx, start, end, true, limit).await
}

/// Ids of the users with a status, oldest first.
///
/// # Errors
/// When the store fails.
pub async fn oldest(tx: &mut dyn Tx, app: &AppId, status: BulkStatus, limit: usize) -> Result<Vec<Uuid>, StoreError> {
    let start = by_status(app, status);
    let end = start.prefix_end();
    ids(tx, start, end, false, limit).await
}

async fn ids(
    tx: &mut dyn Tx,
    start: Key,
    end: Option<Key>,
    reverse: bool,
    limit: usize,
) -> Result<Vec<Uuid>, StoreError> {
    let skip = start.bytes.len();
    let rows = tx.scan(&Scan { start, end, reverse, limit }).await?;
    Ok(rows.iter().filter_map(|(key, _)| Uuid::from_slice(key.bytes.get(skip..)?).ok()).collect())
}

/// The number of users with one status, or of all. Counted a page at a time.
///
/// # Errors
/// When the store fails.
pub async fn count(tx: &mut dyn Tx, app: &AppId, status: Option<BulkStatus>) -> Result<usize, StoreError> {
    const PAGE: usize = 4096;
    let prefix = match status {
        Some(status) => by_status(app, status),
        None => Key::of_app(Keyspace::BulkImportByStatus, app),
    };
    let (mut pages, mut count) = (Pages::of(prefix, PAGE), 0);
    while let Some(rows) = pages.rows(tx).await? {
        count += rows.len();
    }
    Ok(count)
}

/// The first app after `after` that has users waiting here.
///
/// # Errors
/// When the store fails.
pub async fn next_app(tx: &mut dyn Tx, after: Option<&AppId>) -> Result<Option<AppId>, StoreError> {
    let start = match after {
        None => Some(Key::of(Keyspace::BulkImport)),
        Some(app) => all(app).prefix_end(),
    };
    let Some(start) = start else { return Ok(None) };
    let rows = tx.scan(&Scan { start, end: None, reverse: false, limit: 1 }).await?;
    Ok(rows.first().and_then(|(key, _)| {
        let mut parts = KeyReader::new(key);
        Some(AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? })
    }))
}
