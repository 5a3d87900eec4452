//! Pending passwordless sign-ins, at rest.
//!
//! * [`Keyspace::PasswordlessDevice`]: (domain, app, tenant, device hash) → [`Device`], with its codes.
//! * [`Keyspace::PasswordlessDeviceByContact`]: (…, kind, contact, device hash) → nothing.
//! * [`Keyspace::PasswordlessCode`]: (…, code id, device hash) → nothing.
//! * [`Keyspace::PasswordlessLinkCode`]: (…, link code's hash, device hash) → nothing.
//!
//! The row is the truth: each use of a code reads the row and writes or deletes it, so that of two concurrent uses one
//! runs again. Index keys are derived from the row and only lead to it.

mod check;

pub use check::check;

use super::key::KeyReader;
use super::{Key, Keyspace, Scan, StoreError, Tx, codec};
use crate::domain::ids::{AppId, TenantId};
use crate::domain::passwordless::{CodeId, Contact, Device, DeviceHash, LinkCodeHash};
use crate::domain::user::LoginMethod;
use std::collections::BTreeSet;

crate::record!(Device, PasswordlessDevice, version 1);

/// Devices deleted in one transaction: anyone who can request messages can create any number of devices for another
/// person's address.
pub const DELETED_AT_ONCE: usize = 256;

/// Length of a device's hash, with which every key ends.
const HASH_LEN: usize = 32;

/// The tenant whose devices are accessed.
#[derive(Debug, Clone, Copy)]
pub struct Devices<'a> {
    /// The app.
    pub app: &'a AppId,
    /// The tenant.
    pub tenant: &'a TenantId,
}

impl Devices<'_> {
    fn key(&self, keyspace: Keyspace) -> Key {
        Key::of_tenant(keyspace, self.app, self.tenant)
    }

    /// The key of a device.
    #[must_use]
    pub fn row_key(&self, device: &DeviceHash) -> Key {
        self.key(Keyspace::PasswordlessDevice).raw(device.as_bytes())
    }

    fn of_contact(&self, contact: &Contact) -> Key {
        let kind = match contact {
            Contact::Email(_) => 1,
            Contact::PhoneNumber(_) => 2,
        };
        self.key(Keyspace::PasswordlessDeviceByContact).raw(&[kind]).bounded_text(contact.text())
    }

    fn of_code(&self, id: CodeId) -> Key {
        self.key(Keyspace::PasswordlessCode).raw(id.as_bytes())
    }

    fn of_link_code(&self, link_code: &LinkCodeHash) -> Key {
        self.key(Keyspace::PasswordlessLinkCode).raw(link_code.as_bytes())
    }

    /// The keys that lead to a device.
    fn index_keys(&self, hash: &DeviceHash, device: &Device) -> BTreeSet<Key> {
        let of_codes = device.codes.iter().flat_map(|code| [self.of_code(code.id), self.of_link_code(&code.link_code)]);
        let all = of_codes.chain([self.of_contact(&device.contact)]);
        all.map(|key| key.raw(hash.as_bytes())).collect()
    }

    /// The device with this hash.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn get(&self, tx: &mut dyn Tx, hash: &DeviceHash) -> Result<Option<Device>, StoreError> {
        codec::get(tx, &self.row_key(hash)).await
    }

    /// Replaces a device, as read by this transaction (`None` for a new one), with its new state; one without codes is
    /// deleted.
    ///
    /// # Errors
    /// When it has too many codes for a record.
    pub fn save(
        &self,
        tx: &mut dyn Tx,
        hash: &DeviceHash,
        before: Option<&Device>,
        after: Option<&Device>,
    ) -> Result<(), StoreError> {
        let after = after.filter(|device| !device.codes.is_empty());
        let keys = |device: Option<&Device>| device.map(|device| self.index_keys(hash, device)).unwrap_or_default();
        let (old, new) = (keys(before), keys(after));
        old.difference(&new).for_each(|key| tx.delete(key.clone()));
        new.difference(&old).for_each(|key| codec::put_marker(tx, key.clone()));
        match after {
            Some(device) => codec::put(tx, self.row_key(hash), device)?,
            None => tx.delete(self.row_key(hash)),
        }
        Ok(())
    }

    /// Up to `limit` devices of a contact, ordered by hash.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hashes_of(
        &self,
        tx: &mut dyn Tx,
        contact: &Contact,
        limit: usize,
    ) -> Result<Vec<DeviceHash>, StoreError> {
        self.led_to(tx, self.of_contact(contact), limit).await
    }

    /// The device with this code.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn with_code(&self, tx: &mut dyn Tx, id: CodeId) -> Result<Option<DeviceHash>, StoreError> {
        Ok(self.led_to(tx, self.of_code(id), 1).await?.pop())
    }

    /// The device with this link code.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn with_link_code(
        &self,
        tx: &mut dyn Tx,
        link_code: &LinkCodeHash,
    ) -> Result<Option<DeviceHash>, StoreError> {
        Ok(self.led_to(tx, self.of_link_code(link_code), 1).await?.pop())
    }

    /// Deletes the devices of a contact with all their codes, but at most [`DELETED_AT_ONCE`] of them. Returns false if
    /// there may be more; in that case `last` is not among those deleted.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_of(
        &self,
        tx: &mut dyn Tx,
        contact: &Contact,
        last: Option<&DeviceHash>,
    ) -> Result<bool, StoreError> {
        let found = self.hashes_of(tx, contact, DELETED_AT_ONCE).await?;
        let all = found.len() < DELETED_AT_ONCE;
        for hash in found.iter().filter(|hash| all || last != Some(*hash)) {
            let device = self.get(tx, hash).await?;
            self.save(tx, hash, device.as_ref(), None)?;
            tx.delete(self.of_contact(contact).raw(hash.as_bytes()));
        }
        Ok(all)
    }

    /// The device hashes at the end of index keys with this prefix.
    async fn led_to(&self, tx: &mut dyn Tx, start: Key, limit: usize) -> Result<Vec<DeviceHash>, StoreError> {
        let prefix = start.bytes.len();
        let rows = tx.scan(&Scan { end: start.prefix_end(), start, reverse: false, limit }).await?;
        let hash = |key: &Key| {
            let rest = KeyReader::after(key, prefix)?.rest();
            rest.try_into().ok().map(DeviceHash::from_bytes)
        };
        Ok(rows.iter().filter_map(|(key, _)| hash(key)).collect())
    }
}

/// Deletes every device of these contacts in each tenant of a login method, so that a code sent to a user who has been
/// deleted, or who now has another address, no longer signs anyone in.
///
/// # Errors
/// When the store fails.
pub async fn delete_all(
    tx: &mut dyn Tx,
    app: &AppId,
    method: &LoginMethod,
    contacts: &[Contact],
) -> Result<(), StoreError> {
    for tenant in &method.tenants {
        for contact in contacts {
            while !(Devices { app, tenant }).delete_of(tx, contact, None).await? {}
        }
    }
    Ok(())
}

/// Parses app, tenant and device from a key of any of these keyspaces.
#[must_use]
pub fn parse_key(key: &Key) -> Option<(AppId, TenantId, DeviceHash)> {
    let mut parts = KeyReader::new(key);
    let app = AppId { connection_uri_domain: parts.text()?, app_id: parts.text()? };
    let tenant = TenantId::new(parts.text()?);
    let hash = parts.rest().last_chunk::<HASH_LEN>()?;
    Some((app, tenant, DeviceHash::from_bytes(*hash)))
}
