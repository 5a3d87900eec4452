//! The audit log at rest: [`Keyspace::AuditEvent`]: (domain, app, time, random) → [`AuditRecord`].
//!
//! Time stands first, so that the newest are one range. The random part lets events of one moment stand side by side and
//! never conflict.

use super::codec;
use super::key::KeyReader;
use super::{Key, Keyspace, Scan, StoreError, Tx};
use crate::domain::audit::AuditKind;
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// An event with what led to it. When it was is the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// What happened.
    pub kind: AuditKind,
    /// To whom.
    pub user: Option<UserId>,
    /// To which login method, where that is another id.
    pub recipe_user: Option<UserId>,
    /// In which tenant.
    pub tenant: Option<TenantId>,
    /// By which recipe.
    pub recipe: Option<String>,
    /// With which address, number or account; masked.
    pub login: Option<String>,
    /// More, depending on the kind.
    pub detail: Option<String>,
    /// Address of the person's device, where the application passes it on.
    pub client: Option<String>,
    /// Address of the peer that called.
    pub caller: Option<String>,
    /// The call: method and path, a command of this program.
    pub call: String,
    /// Its request id; empty for the command line.
    pub request_id: String,
}

crate::record!(AuditRecord, AuditEvent, version 1);

/// Where an event stands: its time, and a random part that tells it from others of that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When it happened.
    pub at: UnixMillis,
    /// Tells it from others.
    pub random: [u8; 8],
}

impl Place {
    /// The first place of a moment.
    #[must_use]
    pub const fn first(at: UnixMillis) -> Self {
        Self { at, random: [0; 8] }
    }
}

/// Where an event lives.
#[must_use]
pub fn key(app: &AppId, place: &Place) -> Key {
    Key::of_app(Keyspace::AuditEvent, app).raw(&place.at.0.to_be_bytes()).raw(&place.random)
}

/// The app and the place that a key names.
#[must_use]
pub fn parse_key(key: &Key) -> Option<(AppId, Place)> {
    let mut parts = KeyReader::new(key);
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    let (at, random) = parts.rest().split_first_chunk()?;
    Some((app, Place { at: UnixMillis(u64::from_be_bytes(*at)), random: random.try_into().ok()? }))
}

/// Writes an event.
///
/// # Errors
/// When it is too large.
pub fn put(tx: &mut dyn Tx, app: &AppId, place: &Place, record: &AuditRecord) -> Result<(), StoreError> {
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
    before: Option<&Place>,
    limit: usize,
) -> Result<Vec<(Place, AuditRecord)>, StoreError> {
    let all = Key::of_app(Keyspace::AuditEvent, app);
    let end = before.map_or_else(|| all.prefix_end(), |place| Some(key(app, place)));
    let scan = Scan { start: key(app, &Place::first(from)), end, reverse: true, limit };
    let rows = codec::scan::<AuditRecord>(tx, &scan).await?;
    Ok(rows.into_iter().filter_map(|(key, record)| Some((parse_key(&key)?.1, record))).collect())
}

/// The first key after all events of an app.
#[must_use]
pub fn end_of(app: &AppId) -> Option<Key> {
    Key::of_app(Keyspace::AuditEvent, app).prefix_end()
}
