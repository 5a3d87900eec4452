//! Events that hooks are to be told, at rest: [`Keyspace::HookEvent`]: (domain, app, hook, id) → [`HookEventRecord`].
//! Ids begin with their time, so a hook's keys are in the order in which its events happened, to the millisecond.
//!
//! An event is written in the transaction of the change that it reports, once per hook, and deleted when the hook has
//! taken it.

use super::key::KeyReader;
use super::walk::Pages;
use super::{Key, Keyspace, StoreError, Tx, codec};
use crate::domain::delivery::Progress;
use crate::domain::hook::{EventHookId, HookEventKind};
use crate::domain::ids::AppId;
use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An event that a hook is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookEventRecord {
    /// What happened.
    pub kind: HookEventKind,
    /// When.
    pub created: UnixMillis,
    /// When it is given up.
    pub expires: UnixMillis,
    /// How the telling has gone so far.
    pub progress: Progress,
    /// What went wrong last.
    pub error: Option<String>,
    /// The body of the request, sealed under a key of the app: it names people.
    pub sealed_body: Vec<u8>,
}

crate::record!(HookEventRecord, HookEvent, version 1);

/// The key of an event.
#[must_use]
pub fn key(app: &AppId, hook: EventHookId, id: &Uuid) -> Key {
    of_hook(app, hook).raw(id.as_bytes())
}

fn of_hook(app: &AppId, EventHookId(hook): EventHookId) -> Key {
    Key::of_app(Keyspace::HookEvent, app).raw(&hook)
}

/// What the key of an event tells.
#[must_use]
pub fn parse_key(key: &Key) -> Option<(AppId, EventHookId, Uuid)> {
    let mut parts = KeyReader::new(key);
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    let (hook, id) = parts.rest().split_first_chunk()?;
    Some((app, EventHookId(*hook), Uuid::from_slice(id).ok()?))
}

/// The event at this key.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut dyn Tx, key: &Key) -> Result<Option<HookEventRecord>, StoreError> {
    codec::get(tx, key).await
}

/// Writes an event.
///
/// # Errors
/// When it is too large.
pub fn put(tx: &mut dyn Tx, key: Key, record: &HookEventRecord) -> Result<(), StoreError> {
    codec::put(tx, key, record)
}

/// Deletes an event; deleting none is fine.
pub fn delete(tx: &mut dyn Tx, key: Key) {
    tx.delete(key);
}

/// The events of an app's hooks, a page at a time: by hook, oldest first.
#[must_use]
pub fn pages(app: &AppId, limit: usize) -> Pages {
    Pages::of(Key::of_app(Keyspace::HookEvent, app), limit)
}

/// The events of one hook, a page at a time, oldest first.
#[must_use]
pub fn pages_of_hook(app: &AppId, hook: EventHookId, limit: usize) -> Pages {
    Pages::of(of_hook(app, hook), limit)
}
