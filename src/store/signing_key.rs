//! Signing keys: one record per key, kept as history after the secret half is gone.

use crate::domain::ids::AppId;
use crate::domain::key::{KeyKind, KeyLife, Kid, Revocation, SigningAlgorithm};
use crate::domain::time::UnixMillis;
use crate::record;
use crate::store::{Encoding, Key, Keyspace, Scan, StoreError, Tx, codec};
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The secret half of a key at rest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub enum StoredSecret {
    /// Wiped: the key no longer signs.
    Gone,
    /// Plain: the installation has no master key.
    Plain(Vec<u8>),
    /// Sealed under the master key.
    Sealed(Vec<u8>),
}

impl fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => "Gone",
            Self::Plain(_) => "Plain(…)",
            Self::Sealed(_) => "Sealed(…)",
        })
    }
}

/// A key with both halves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Name, kind and history.
    pub life: KeyLife,
    /// The public half: 32 bytes, or the DER of an `RSAPublicKey`.
    pub public: Vec<u8>,
    /// The secret half.
    pub secret: StoredSecret,
}

/// Version 2 of the record. All times in ms since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKeyRecord {
    key: SigningKeyRecordV1,
    moved_in: Option<u64>,
}

record!(SigningKeyRecord, SigningKey, version 2 after SigningKeyRecordV1);

impl From<SigningKeyRecordV1> for SigningKeyRecord {
    fn from(key: SigningKeyRecordV1) -> Self {
        Self { key, moved_in: None }
    }
}

/// Version 1: every key was made here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKeyRecordV1 {
    kid: String,
    kind: KeyKind,
    algorithm: SigningAlgorithm,
    created: u64,
    planned_end: u64,
    published: Option<u64>,
    first_used: Option<u64>,
    retired: Option<u64>,
    revoked: Option<(u64, String)>,
    deleted: Option<u64>,
    public: Vec<u8>,
    secret: StoredSecret,
}

record!(SigningKeyRecordV1, SigningKey, version 1);

impl From<SigningKey> for SigningKeyRecord {
    fn from(key: SigningKey) -> Self {
        let SigningKey { life, public, secret } = key;
        let millis = |moment: Option<UnixMillis>| moment.map(|moment| moment.0);
        let moved_in = millis(life.moved_in);
        let key = SigningKeyRecordV1 {
            kid: life.kid.as_str().to_owned(),
            kind: life.kind,
            algorithm: life.algorithm,
            created: life.created.0,
            planned_end: life.planned_end.0,
            published: millis(life.published),
            first_used: millis(life.first_used),
            retired: millis(life.retired),
            revoked: life.revoked.map(|revocation| (revocation.at.0, revocation.why)),
            deleted: millis(life.deleted),
            public,
            secret,
        };
        Self { key, moved_in }
    }
}

impl From<SigningKeyRecord> for SigningKey {
    fn from(SigningKeyRecord { key: record, moved_in }: SigningKeyRecord) -> Self {
        let life = KeyLife {
            kid: Kid::new(record.kid),
            kind: record.kind,
            algorithm: record.algorithm,
            moved_in: moved_in.map(UnixMillis),
            created: UnixMillis(record.created),
            planned_end: UnixMillis(record.planned_end),
            published: record.published.map(UnixMillis),
            first_used: record.first_used.map(UnixMillis),
            retired: record.retired.map(UnixMillis),
            revoked: record.revoked.map(|(at, why)| Revocation { at: UnixMillis(at), why }),
            deleted: record.deleted.map(UnixMillis),
        };
        Self { life, public: record.public, secret: record.secret }
    }
}

/// All keys of an app, history included, ordered by name. Not re-checked at commit: read the app's
/// [`sealing_key`](super::sealing_key) in the same transaction and write it with every change.
///
/// # Errors
/// When the store fails or a record is damaged.
pub async fn list(tx: &mut dyn Tx, app: &AppId) -> Result<Vec<SigningKey>, StoreError> {
    let prefix = app_prefix(app);
    let range = Scan { end: prefix.prefix_end(), start: prefix, reverse: false, limit: usize::MAX };
    let records = codec::scan::<SigningKeyRecord>(tx, &range).await?;
    Ok(records.into_iter().map(|(_, record)| record.into()).collect())
}

/// Buffers a write of a key.
///
/// # Errors
/// When the record is too large.
pub fn put(tx: &mut dyn Tx, app: &AppId, key: SigningKey) -> Result<(), StoreError> {
    let at = place(app, &key.life.kid);
    codec::put(tx, at, &SigningKeyRecord::from(key))
}

/// Decodes the row of a key from an archive rather than the store.
///
/// # Errors
/// When the record is damaged.
pub fn read_row(encoding: Encoding, at: &Key, bytes: &[u8]) -> Result<SigningKey, StoreError> {
    codec::decode::<SigningKeyRecord>(encoding, at, bytes).map(SigningKey::from)
}

/// Encodes the row that [`read_row`] decodes.
///
/// # Errors
/// When the record is too large.
pub fn write_row(encoding: Encoding, app: &AppId, key: SigningKey) -> Result<(Key, Vec<u8>), StoreError> {
    let at = place(app, &key.life.kid);
    let bytes = codec::encode(encoding, &at, &SigningKeyRecord::from(key))?;
    Ok((at, bytes))
}

/// Buffers the removal of a key, history included.
pub fn delete(tx: &mut dyn Tx, app: &AppId, kid: &Kid) {
    tx.delete(place(app, kid));
}

/// Buffers the removal of all keys of an app that is being removed.
///
/// # Errors
/// When the store fails.
pub async fn delete_all(tx: &mut dyn Tx, app: &AppId) -> Result<(), StoreError> {
    let prefix = app_prefix(app);
    let range = Scan { end: prefix.prefix_end(), start: prefix, reverse: false, limit: usize::MAX };
    for (key, _) in tx.scan(&range).await? {
        tx.delete(key);
    }
    Ok(())
}

fn app_prefix(app: &AppId) -> Key {
    Key::of_app(Keyspace::SigningKey, app)
}

fn place(app: &AppId, kid: &Kid) -> Key {
    app_prefix(app).text(kid.as_str())
}
