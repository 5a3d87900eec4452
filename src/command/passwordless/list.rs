//! `GET /recipe/signinup/codes`.

use super::{PasswordlessScope, failed};
use crate::context::Context;
use crate::domain::passwordless::{Contact, Device, DeviceHash};
use crate::fault::Fault;

/// Lists pending sign-ins, including expired ones that have not been swept yet.
pub struct ListDevices {
    /// The app, the tenant and its rules.
    pub place: PasswordlessScope,
    /// The devices to list.
    pub of: Of,
}

/// A choice of devices.
pub enum Of {
    /// One device, if it exists.
    Device(DeviceHash),
    /// The devices of a contact.
    Contact(Contact),
}

impl ListDevices {
    /// Returns the sign-ins.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Vec<(DeviceHash, Device)>, Fault> {
        let devices = self.place.devices();
        let mut tx = context.store.begin();
        let hashes = match &self.of {
            Of::Device(hash) => vec![*hash],
            Of::Contact(contact) => devices.hashes_of(tx.as_mut(), contact, usize::MAX).await.map_err(failed)?,
        };
        let mut found = Vec::with_capacity(hashes.len());
        for hash in hashes {
            let device = devices.get(tx.as_mut(), &hash).await.map_err(failed)?;
            found.extend(device.map(|device| (hash, device)));
        }
        Ok(found)
    }
}
