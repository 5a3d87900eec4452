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
    /// The secret for refresh tokens in the form of the original core, if the app has one.
    pub v2: Option<V2Secret>,
}

/// A secret for refresh tokens in the form of the original core.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct V2Secret {
    /// The secret: the original's text.
    pub secret: StoredSecret,
    /// When the app was moved in with it; `None` for a secret that was made here, to move the app out.
    pub moved_in: Option<UnixMillis>,
}

/// Version 2 of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealingKeyRecord {
    sealing: SealingKeyRecordV1,
    v2: Option<V2Secret>,
}

record!(SealingKeyRecord, SealingKey, version 2 after SealingKeyRecordV1);

impl From<SealingKeyRecordV1> for SealingKeyRecord {
    fn from(sealing: SealingKeyRecordV1) -> Self {
        Self { sealing, v2: None }
    }
}

/// Version 1: no refresh tokens of another form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealingKeyRecordV1 {
    connection_uri_domain: String,
    app_id: String,
    revision: u64,
    id: u32,
    created: u64,
    secret: StoredSecret,
}

record!(SealingKeyRecordV1, SealingKey, version 1);

impl SealingKeyRecord {
    /// The key of an app's record.
    #[must_use]
    pub fn new(app: &AppId, entry: SealingKeyEntry) -> Self {
        let sealing = SealingKeyRecordV1 {
            connection_uri_domain: app.connection_uri_domain.clone(),
            app_id: app.app_id.clone(),
            revision: entry.revision,
            id: entry.id,
            created: entry.created.0,
            secret: entry.secret,
        };
        Self { sealing, v2: entry.v2 }
    }
}

impl From<SealingKeyRecord> for SealingKeyEntry {
    fn from(SealingKeyRecord { sealing, v2 }: SealingKeyRecord) -> Self {
        let SealingKeyRecordV1 { revision, id, created, secret, .. } = sealing;
        Self { revision, id, created: UnixMillis(created), secret, v2 }
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
        .map(|(_, record)| record.sealing)
        .map(|record| AppId { connection_uri_domain: record.connection_uri_domain, app_id: record.app_id })
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
