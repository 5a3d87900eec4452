//! Mails to be sent, at rest: [`Keyspace::Outbox`]: (domain, app, id) → [`OutboxRecord`]. Ids begin with their time, so
//! keys are in the order in which the mails were written.
//!
//! A mail is written in the transaction of the token that it carries, and deleted when it has been sent.

use super::key::KeyReader;
use super::walk::Pages;
use super::{Key, Keyspace, StoreError, Tx, codec};
use crate::domain::ids::{AppId, TenantId};
use crate::domain::mail::{MailKind, Progress};
use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A mail to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxRecord {
    /// The tenant that its token belongs to.
    pub tenant: TenantId,
    /// What it is for.
    pub kind: MailKind,
    /// When it was written.
    pub created: UnixMillis,
    /// When its token expires.
    pub expires: UnixMillis,
    /// How the sending has gone so far.
    pub progress: Progress,
    /// What went wrong last: the server's words, or ours.
    pub error: Option<String>,
    /// The mail as JSON, sealed under a key of the app: it holds a token and an address.
    pub sealed_mail: Vec<u8>,
}

crate::record!(OutboxRecord, Outbox, version 1);

/// The key of a mail.
#[must_use]
pub fn key(app: &AppId, id: &Uuid) -> Key {
    Key::of_app(Keyspace::Outbox, app).raw(id.as_bytes())
}

/// The app and the id in the key of a mail.
#[must_use]
pub fn parse_key(key: &Key) -> Option<(AppId, Uuid)> {
    let mut parts = KeyReader::new(key);
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    Some((app, Uuid::from_slice(parts.rest()).ok()?))
}

/// The mail with this id.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut dyn Tx, app: &AppId, id: &Uuid) -> Result<Option<OutboxRecord>, StoreError> {
    codec::get(tx, &key(app, id)).await
}

/// Writes a mail.
///
/// # Errors
/// When it is too large.
pub fn put(tx: &mut dyn Tx, app: &AppId, id: &Uuid, record: &OutboxRecord) -> Result<(), StoreError> {
    codec::put(tx, key(app, id), record)
}

/// Deletes a mail; deleting none is fine.
pub fn delete(tx: &mut dyn Tx, app: &AppId, id: &Uuid) {
    tx.delete(key(app, id));
}

/// The mails of all apps, or of one, a page at a time: by app, oldest first.
#[must_use]
pub fn pages(app: Option<&AppId>, limit: usize) -> Pages {
    match app {
        Some(app) => Pages::of(Key::of_app(Keyspace::Outbox, app), limit),
        None => Pages::of_keyspace(Keyspace::Outbox, limit),
    }
}
