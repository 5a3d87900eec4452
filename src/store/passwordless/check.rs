//! Cross-references: every device has its index keys, every index key its device.

use super::{Devices, parse_key};
use crate::domain::passwordless::Device;
use crate::store::cross_references::{CrossReferences, Rows, finish_examination};
use crate::store::{Engine, Key, Keyspace, StoreError, Tx};

const INDEXES: [Keyspace; 3] =
    [Keyspace::PasswordlessDeviceByContact, Keyspace::PasswordlessCode, Keyspace::PasswordlessLinkCode];

/// Walks all devices and their indexes. Works while the server runs: related rows are read as of one moment.
///
/// # Errors
/// When the store fails. A row that cannot be decoded is reported, not an error.
pub async fn check(engine: &dyn Engine) -> Result<CrossReferences, StoreError> {
    let mut found = CrossReferences::default();
    for keyspace in [Keyspace::PasswordlessDevice].into_iter().chain(INDEXES) {
        let is_row = keyspace == Keyspace::PasswordlessDevice;
        let mut rows = Rows::of(engine, keyspace);
        while let Some((key, _)) = rows.advance().await? {
            *(if is_row { &mut found.rows } else { &mut found.index_keys }) += 1;
            one(engine, &key, &mut found).await?;
        }
    }
    Ok(found)
}

/// Checks one key and the rows related to it, as of one moment.
async fn one(engine: &dyn Engine, key: &Key, found: &mut CrossReferences) -> Result<(), StoreError> {
    loop {
        let mut tx = engine.begin();
        let wrong = wrong(tx.as_mut(), key).await;
        match finish_examination(tx, wrong).await? {
            None => continue,
            Some(Ok(Some(what))) => found.report(format!("{key} {what}")),
            // Behind an index key, a damaged row is reported by the walk over the rows.
            Some(Err(damaged)) if key.keyspace == Keyspace::PasswordlessDevice => found.report(damaged.to_string()),
            Some(Ok(None) | Err(_)) => {}
        }
        return Ok(());
    }
}

async fn wrong(tx: &mut dyn Tx, key: &Key) -> Result<Option<&'static str>, StoreError> {
    let Some((app, tenant, hash)) = parse_key(key) else { return Ok(Some("is not the key of a passwordless sign-in")) };
    let devices = Devices { app: &app, tenant: &tenant };
    if tx.get(key).await?.is_none() {
        return Ok(None);
    }
    let device: Option<Device> = devices.get(tx, &hash).await?;
    let Some(device) = device else { return Ok(Some("leads to a passwordless sign-in that is gone")) };
    let keys = devices.index_keys(&hash, &device);
    if key.keyspace != Keyspace::PasswordlessDevice {
        return Ok((!keys.contains(key)).then_some("leads to a passwordless sign-in that it does not belong to"));
    }
    for key in &keys {
        if tx.get(key).await?.is_none() {
            return Ok(Some("is not found by one of its indexes"));
        }
    }
    Ok(None)
}
