//! Timelines of ended sessions: (domain, app, tenant, handle uuid) → [`TimelineRecord`].

use super::codec;
use super::{Key, Keyspace, StoreError, Tx};
use crate::domain::ids::{AppId, SessionHandle, UserId};
use crate::domain::session::timeline::{Attempts, EventLog};
use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// What is kept of a session after its end. The handle is in the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineRecord {
    /// The login method's user.
    pub user_id: UserId,
    /// The time the session was created.
    pub created: UnixMillis,
    /// The time the session ended.
    pub ended: UnixMillis,
    /// The time from which this record may be deleted.
    pub purge_at: UnixMillis,
    /// Attempts to refresh after the end.
    pub attempts: Option<Attempts>,
    /// The events; the last one is the end.
    pub log: EventLog,
}

crate::record!(TimelineRecord, Timeline, version 1);

impl TimelineRecord {
    /// True if it must no longer be shown. It may still be in the store until the next sweep.
    #[must_use]
    pub fn is_expired(&self, retention_ms: u64, now: UnixMillis) -> bool {
        retention_ms == 0 || self.purge_at <= now
    }
}

/// The time until which the timeline of a session that ends now is kept; `None` if none is to be kept.
#[must_use]
pub fn purge_at(retention_ms: u64, now: UnixMillis) -> Option<UnixMillis> {
    (retention_ms > 0).then(|| now.plus(retention_ms))
}

/// The key of an ended session's timeline.
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
