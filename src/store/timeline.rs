//! Timelines of ended sessions: (domain, app, tenant, handle uuid) → [`TimelineRecord`].

use super::codec;
use super::{Key, Keyspace, StoreError, Tx};
use crate::domain::ids::{AppId, SessionHandle, UserId};
use crate::domain::session::timeline::{Attempts, EventLog};
use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// What is kept of a session after its end. The handle is the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineRecord {
    /// The login method's user.
    pub user_id: UserId,
    /// Creation of the session.
    pub created: UnixMillis,
    /// Its end.
    pub ended: UnixMillis,
    /// When this record may go.
    pub purge_at: UnixMillis,
    /// Refreshes after the end.
    pub attempts: Option<Attempts>,
    /// What happened; the last entry is the end.
    pub log: EventLog,
}

crate::record!(TimelineRecord, Timeline, version 1);

/// The record of an ended session.
#[must_use]
pub fn key(app: &AppId, handle: &SessionHandle) -> Key {
    Key::of_tenant(Keyspace::Timeline, app, &handle.tenant).raw(handle.uuid.as_bytes())
}

/// The timeline of an ended session, while it is kept.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut dyn Tx, app: &AppId, handle: &SessionHandle) -> Result<Option<TimelineRecord>, StoreError> {
    codec::get(tx, &key(app, handle)).await
}

/// Writes the timeline of an ended session.
///
/// # Errors
/// When the record is too large.
pub fn put(tx: &mut dyn Tx, app: &AppId, handle: &SessionHandle, record: &TimelineRecord) -> Result<(), StoreError> {
    codec::put(tx, key(app, handle), record)
}
