//! The audit log at rest: [`Keyspace::AuditEvent`]: (domain, app, time, random) → [`AuditRecord`].
//!
//! Time comes first, so that the newest events are one range. The random part keeps events of the same moment apart, so
//! that they never conflict.

use super::codec;
use super::key::KeyReader;
use super::{Key, Keyspace, Scan, StoreError, Tx};
use crate::domain::audit::AuditKind;
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// An event and its circumstances. Its time is in the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// What happened.
    pub kind: AuditKind,
    /// The user concerned.
    pub user: Option<UserId>,
    /// The login method concerned, if its id differs from the user's.
    pub recipe_user: Option<UserId>,
    /// The tenant concerned.
    pub tenant: Option<TenantId>,
    /// The recipe concerned.
    pub recipe: Option<String>,
    /// The address, number or account used; masked.
    pub login: Option<String>,
    /// Further details, depending on the kind.
    pub detail: Option<String>,
    /// Address of the user's device, if the application passes it on.
    pub client: Option<String>,
    /// Address of the peer that called.
    pub caller: Option<String>,
    /// The call: a method and path, or a command of this program.
    pub call: String,
    /// Its request id; empty for the command line.
    pub request_id: String,
}

crate::record!(AuditRecord, AuditEvent, version 1);

/// The position of an event: its time, and a random part that distinguishes it from others of that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditPlace {
    /// When it happened.
    pub at: UnixMillis,
    /// Distinguishes it from others of that moment.
    pub random: [u8; 8],
}

impl AuditPlace {
    /// The first position of a moment.
    #[must_use]
    pub const fn first(at: UnixMillis) -> Self {
        Self { at, random: [0; 8] }
    }
}

/// The key of an event.
#[must_use]
pub fn key(app: &AppId, place: &AuditPlace) -> Key {
    Key::of_app(Keyspace::AuditEvent, app).raw(&place.at.0.to_be_bytes()).raw(&place.random)
}

/// The app and the position in a key.
#[must_use]
pub fn parse_key(key: &Key) -> Option<(AppId, AuditPlace)> {
    let mut parts = KeyReader::new(key);
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    let (at, random) = parts.rest().split_first_chunk()?;
    Some((app, AuditPlace { at: UnixMillis(u64::from_be_bytes(*at)), random: random.try_into().ok()? }))
}

/// Writes an event.
///
/// # Errors
/// When it is too large.
pub fn put(tx: &mut dyn Tx, app: &AppId, place: &AuditPlace, record: &AuditRecord) -> Result<(), StoreError> {
    codec::put(tx, key(app, place), record)
}

/// Events of an app from `from` on and before `before`, newest first, up to `limit`.
///
/// # Errors
/// When the store fails.
pub async fn newest(
    tx: &mut dyn Tx,
    app: &AppId,
    from: UnixMillis,
    before: Option<&AuditPlace>,
    limit: usize,
) -> Result<Vec<(AuditPlace, AuditRecord)>, StoreError> {
    let all = Key::of_app(Keyspace::AuditEvent, app);
    let end = before.map_or_else(|| all.prefix_end(), |place| Some(key(app, place)));
    let scan = Scan { start: key(app, &AuditPlace::first(from)), end, reverse: true, limit };
    let rows = codec::scan::<AuditRecord>(tx, &scan).await?;
    Ok(rows.into_iter().filter_map(|(key, record)| Some((parse_key(&key)?.1, record))).collect())
}

/// The first key after all events of an app.
#[must_use]
pub fn end_of(app: &AppId) -> Option<Key> {
    Key::of_app(Keyspace::AuditEvent, app).prefix_end()
}
