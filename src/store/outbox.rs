//! Mails to be sent, at rest: [`Keyspace::Outbox`]: (domain, app, tenant, id) → [`OutboxRecord`]. Ids begin with their
//! time, so a tenant's keys are in the order in which its mails were written.
//!
//! A mail is written in the transaction of the token that it carries, and deleted when it has been sent.

use super::key::KeyReader;
use super::walk::Pages;
use super::{Key, Keyspace, StoreError, Tx, codec};
use crate::domain::delivery::Progress;
use crate::domain::ids::{AppId, TenantId};
use crate::domain::mail::MailKind;
use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A mail to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxRecord {
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
pub fn key(app: &AppId, tenant: &TenantId, id: &Uuid) -> Key {
    Key::of_tenant(Keyspace::Outbox, app, tenant).raw(id.as_bytes())
}

/// What the key of a mail tells.
#[must_use]
pub fn parse_key(key: &Key) -> Option<(AppId, TenantId, Uuid)> {
    let mut parts = KeyReader::new(key);
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    let tenant = TenantId::new(parts.text()?);
    Some((app, tenant, Uuid::from_slice(parts.rest()).ok()?))
}

/// The context that a sealed mail is bound to: tenant and id. The app is not included: each has a sealing key of its own.
#[must_use]
pub fn place<'k>(app: &AppId, key: &'k Key) -> &'k [u8] {
    let of_app = Key::of_app(Keyspace::Outbox, app).bytes.len();
    key.bytes.get(of_app..).unwrap_or_default()
}

/// The mail at this key.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut dyn Tx, key: &Key) -> Result<Option<OutboxRecord>, StoreError> {
    codec::get(tx, key).await
}

/// Writes a mail.
///
/// # Errors
/// When it is too large.
pub fn put(tx: &mut dyn Tx, key: Key, record: &OutboxRecord) -> Result<(), StoreError> {
    codec::put(tx, key, record)
}

/// Deletes a mail; deleting none is fine.
pub fn delete(tx: &mut dyn Tx, key: Key) {
    tx.delete(key);
}

/// The mails of all apps, or of one, a page at a time: by app and tenant, oldest first.
#[must_use]
pub fn pages(app: Option<&AppId>, limit: usize) -> Pages {
    match app {
        Some(app) => Pages::of(Key::of_app(Keyspace::Outbox, app), limit),
        None => Pages::of_keyspace(Keyspace::Outbox, limit),
    }
}
