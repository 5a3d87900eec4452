//! An app's key for refresh tokens, and the revision that guards all of the app's keys.

use crate::domain::ids::AppId;
use crate::domain::time::UnixMillis;
use crate::record;
use crate::store::signing_key::StoredSecret;
use crate::store::{Encoding, Key, Keyspace, Scan, StoreError, Tx, codec};
use serde::{Deserialize, Serialize};

/// The sealing key of an app. Any change of the app's keys reads this record and writes it back with the next revision,
/// so that of two concurrent changes one conflicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealingKeyEntry {
    /// Counts changes to the app's keys.
    pub revision: u64,
    /// The number that identifies the key in refresh tokens.
    pub id: u32,
    /// The time of creation.
    pub created: UnixMillis,
    /// The key: 32 bytes.
    pub secret: StoredSecret,
}

/// Version 1 of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealingKeyRecord {
    connection_uri_domain: String,
    app_id: String,
    revision: u64,
    id: u32,
    created: u64,
    secret: StoredSecret,
}

record!(SealingKeyRecord, SealingKey, version 1);

impl SealingKeyRecord {
    /// The key of an app's record.
    #[must_use]
    pub fn new(app: &AppId, entry: SealingKeyEntry) -> Self {
        Self {
            connection_uri_domain: app.connection_uri_domain.clone(),
            app_id: app.app_id.clone(),
            revision: entry.revision,
            id: entry.id,
            created: entry.created.0,
            secret: entry.secret,
        }
    }
}

impl From<SealingKeyRecord> for SealingKeyEntry {
    fn from(record: SealingKeyRecord) -> Self {
        Self { revision: record.revision, id: record.id, created: UnixMillis(record.created), secret: record.secret }
    }
}

/// The sealing key of an app, if it has one yet.
///
/// # Errors
/// When the store fails or the record is damaged.
pub async fn get(tx: &mut dyn Tx, app: &AppId) -> Result<Option<SealingKeyEntry>, StoreError> {
    Ok(codec::get::<SealingKeyRecord>(tx, &place(app)).await?.map(SealingKeyEntry::from))
}

/// Every app that has keys.
///
/// # Errors
/// When the store fails or a record is damaged.
pub async fn apps(tx: &mut dyn Tx) -> Result<Vec<AppId>, StoreError> {
    let range = Scan { start: Key::of(Keyspace::SealingKey), end: None, reverse: false, limit: usize::MAX };
    let records = codec::scan::<SealingKeyRecord>(tx, &range).await?;
    Ok(records
        .into_iter()
        .map(|(_, record)| AppId { connection_uri_domain: record.connection_uri_domain, app_id: record.app_id })
        .collect())
}

/// Buffers a write.
///
/// # Errors
/// When the record is too large.
pub fn put(tx: &mut dyn Tx, app: &AppId, entry: SealingKeyEntry) -> Result<(), StoreError> {
    codec::put(tx, place(app), &SealingKeyRecord::new(app, entry))
}

/// Decodes the row of an entry from an archive rather than the store.
///
/// # Errors
/// When the record is damaged.
pub fn read_row(encoding: Encoding, at: &Key, bytes: &[u8]) -> Result<SealingKeyEntry, StoreError> {
    codec::decode::<SealingKeyRecord>(encoding, at, bytes).map(SealingKeyEntry::from)
}

/// Encodes the row that [`read_row`] decodes.
///
/// # Errors
/// When the record is too large.
pub fn write_row(encoding: Encoding, app: &AppId, entry: SealingKeyEntry) -> Result<(Key, Vec<u8>), StoreError> {
    let at = place(app);
    let bytes = codec::encode(encoding, &at, &SealingKeyRecord::new(app, entry))?;
    Ok((at, bytes))
}

/// Buffers the removal of the key of an app that is being removed.
pub fn delete(tx: &mut dyn Tx, app: &AppId) {
    tx.delete(place(app));
}

fn place(app: &AppId) -> Key {
    Key::of(Keyspace::SealingKey).text(&app.connection_uri_domain).text(&app.app_id)
}
