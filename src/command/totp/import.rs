//! Authenticator apps of imported users: sealed before the transaction, written in it.

use super::Sealer;
use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::ids::{AppId, UserId};
use crate::domain::totp::import::NewDevice;
use crate::fault::Fault;
use crate::store::totp::{self, TotpDevice};
use crate::store::{StoreError, Tx};
use std::collections::BTreeSet;

/// Authenticator apps of a user to import.
pub(in crate::command) struct ImportedDevices(Vec<TotpDevice>);

/// All authenticator apps of a user; nothing to write if none is new.
pub(in crate::command) struct AllDevices(Option<Vec<TotpDevice>>);

impl ImportedDevices {
    /// Seals secrets.
    ///
    /// # Errors
    /// When the app's keys cannot be read.
    pub(in crate::command) async fn sealed(
        context: &Context,
        scope: &Scope,
        user: &UserId,
        new: Vec<NewDevice>,
    ) -> Result<Self, Fault> {
        if new.is_empty() {
            return Ok(Self(Vec::new()));
        }
        Ok(Self(devices(context, &Sealer::of(context, scope).await?, user, new)))
    }

    /// Merges these with those stored under the user's id, or returns why they conflict.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::command) async fn beside_others(
        &self,
        tx: &mut dyn Tx,
        app: &AppId,
        user: &UserId,
    ) -> Result<Result<AllDevices, String>, StoreError> {
        let mut devices = totp::devices(tx, app, user).await?;
        if let Some(double) = self.0.iter().find(|new| devices.iter().any(|device| device.name == new.name)) {
            return Ok(Err(format!("A totp device with name {} already exists", double.name)));
        }
        devices.extend_from_slice(&self.0);
        Ok(Ok(AllDevices((!self.0.is_empty()).then_some(devices))))
    }
}

impl AllDevices {
    /// Writes the devices.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::command) async fn put(self, tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<(), StoreError> {
        match self.0 {
            Some(devices) => totp::put_devices(tx, app, user, devices).await,
            None => Ok(()),
        }
    }
}

/// Authenticator apps of a user; those without a name get one that none of the others has.
fn devices(context: &Context, sealer: &Sealer, user: &UserId, new: Vec<NewDevice>) -> Vec<TotpDevice> {
    let mut taken: BTreeSet<String> = new.iter().filter_map(|device| device.name.clone()).collect();
    let mut free_name = || {
        let name = (0..).map(|number| format!("TOTP Device {number}")).find(|name| !taken.contains(name));
        // invariant: numbers do not run out
        let name = name.unwrap_or_default();
        taken.insert(name.clone());
        name
    };
    let device = |device: NewDevice| TotpDevice {
        name: device.name.unwrap_or_else(&mut free_name),
        sealed_secret: sealer.seal(context, user, &device.secret),
        pace: device.pace,
        verified: true,
        created: context.now(),
    };
    new.into_iter().map(device).collect()
}
