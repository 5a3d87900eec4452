//! `/recipe/totp/device…`: a user's authenticator apps.

use super::{Sealer, failed, require_app};
use crate::command::audit;
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::UserId;
use crate::domain::totp::{MAX_DEVICES, Pace, TotpSecret};
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::totp::{self, TotpDevice};

/// Adds a device.
pub struct AddDevice {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The user to add it to; need not exist.
    pub user_id: UserId,
    /// Its name; without one it gets one.
    pub name: Option<String>,
    /// Its rules for accepting codes.
    pub pace: Pace,
    /// Its secret, if it already has one: then it is verified.
    pub known_secret: Option<TotpSecret>,
}

/// The outcome of adding a device.
pub enum AddDeviceOutcome {
    /// The device is added.
    Ok {
        /// Its name.
        name: String,
        /// Its secret.
        secret: TotpSecret,
    },
    /// The user has a verified device of this name.
    AlreadyExists,
    /// The user has [`MAX_DEVICES`] devices.
    TooMany,
}

impl AddDevice {
    /// Adds the device and returns the outcome. A device of the same name that was never verified is replaced.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<AddDeviceOutcome, Fault> {
        let secret = self.known_secret.clone().unwrap_or_else(|| TotpSecret::mint(context.entropy.as_ref()));
        let sealed_secret = Sealer::of(context, &self.scope).await?.seal(context, &self.user_id, &secret);
        let about = (&self.scope.app.id, &self.user_id);
        let named = transact(context, &about, "committing an authenticator app", |tx| {
            self.attempt(context, tx, &sealed_secret)
        });
        Ok(match named.await? {
            Ok(name) => AddDeviceOutcome::Ok { name, secret },
            Err(refused) => refused,
        })
    }

    /// The name that the device gets, or why it cannot be added.
    async fn attempt(
        &self,
        context: &Context,
        mut tx: Box<dyn Tx>,
        sealed_secret: &[u8],
    ) -> Result<Step<Result<String, AddDeviceOutcome>>, Fault> {
        let id = &self.scope.app.id;
        require_app(tx.as_mut(), &self.scope).await?;
        let mut devices = totp::devices(tx.as_mut(), id, &self.user_id).await.map_err(failed)?;
        let name = self.name.clone().unwrap_or_else(|| free_name(&devices));
        if devices.iter().any(|device| device.name == name && device.verified) {
            return Ok(Step::Done(Err(AddDeviceOutcome::AlreadyExists)));
        }
        devices.retain(|device| device.name != name);
        if devices.len() >= MAX_DEVICES {
            return Ok(Step::Done(Err(AddDeviceOutcome::TooMany)));
        }
        let (sealed_secret, created) = (sealed_secret.to_vec(), context.now());
        let verified = self.known_secret.is_some();
        devices.push(TotpDevice { name: name.clone(), sealed_secret, pace: self.pace, verified, created });
        totp::put_devices(tx.as_mut(), id, &self.user_id, devices).await.map_err(failed)?;
        if verified {
            let event = AuditEvent::of(AuditKind::TotpDeviceAdded).user(&self.user_id).detail(&name);
            audit::note(tx.as_mut(), context, &self.scope, event).await?;
        }
        Ok(Step::Commit(tx, Ok(name)))
    }
}

/// `TOTP Device <n>`, counted up from the number of verified devices to the first name that no verified device has.
fn free_name(devices: &[TotpDevice]) -> String {
    let verified = || devices.iter().filter(|device| device.verified);
    let mut number = verified().count();
    loop {
        let name = format!("TOTP Device {number}");
        if !verified().any(|device| device.name == name) {
            return name;
        }
        number += 1;
    }
}

/// Renames a device.
pub struct RenameDevice {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The user who has the device.
    pub user_id: UserId,
    /// Its present name.
    pub name: String,
    /// Its new name.
    pub new_name: String,
}

/// The outcome of renaming a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renamed {
    /// It has the new name.
    Ok,
    /// The user has no such device.
    UnknownDevice,
    /// Another device of the user has the new name.
    AlreadyExists,
}

impl RenameDevice {
    /// Renames the device and returns the outcome.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Renamed, Fault> {
        let about = (&self.scope.app.id, &self.user_id);
        transact(context, &about, "committing an authenticator app's name", |tx| self.attempt(tx)).await
    }

    async fn attempt(&self, mut tx: Box<dyn Tx>) -> Result<Step<Renamed>, Fault> {
        let id = &self.scope.app.id;
        let mut devices = totp::devices(tx.as_mut(), id, &self.user_id).await.map_err(failed)?;
        let taken = devices.iter().any(|device| device.name == self.new_name);
        let Some(device) = devices.iter_mut().find(|device| device.name == self.name) else {
            return Ok(Step::Done(Renamed::UnknownDevice));
        };
        if self.name == self.new_name {
            return Ok(Step::Done(Renamed::Ok));
        }
        if taken {
            return Ok(Step::Done(Renamed::AlreadyExists));
        }
        device.name.clone_from(&self.new_name);
        totp::put_devices(tx.as_mut(), id, &self.user_id, devices).await.map_err(failed)?;
        Ok(Step::Commit(tx, Renamed::Ok))
    }
}

/// Removes a device; with the last one, also the record of the user's used codes and attempts.
pub struct RemoveDevice {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The user who has the device.
    pub user_id: UserId,
    /// Name of the device.
    pub name: String,
}

impl RemoveDevice {
    /// Removes the device; `true` if it existed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<bool, Fault> {
        let about = (&self.scope.app.id, &self.user_id);
        transact(context, &about, "committing an authenticator app's removal", |tx| self.attempt(context, tx)).await
    }

    async fn attempt(&self, context: &Context, mut tx: Box<dyn Tx>) -> Result<Step<bool>, Fault> {
        let id = &self.scope.app.id;
        let mut devices = totp::devices(tx.as_mut(), id, &self.user_id).await.map_err(failed)?;
        let Some(place) = devices.iter().position(|device| device.name == self.name) else {
            return Ok(Step::Done(false));
        };
        let removed = devices.remove(place);
        totp::put_devices(tx.as_mut(), id, &self.user_id, devices).await.map_err(failed)?;
        if removed.verified {
            let event = AuditEvent::of(AuditKind::TotpDeviceRemoved).user(&self.user_id).detail(removed.name);
            audit::note(tx.as_mut(), context, &self.scope, event).await?;
        }
        Ok(Step::Commit(tx, true))
    }
}

/// Reads users' devices.
pub struct ReadDevices(pub Scope);

impl ReadDevices {
    /// The devices of one user.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(&self, context: &Context, user: &UserId) -> Result<Vec<TotpDevice>, Fault> {
        let mut tx = context.store.begin();
        totp::devices(tx.as_mut(), &self.0.app.id, user).await.map_err(failed)
    }

    /// Whether each of these users has a verified device; `None` for one without any device.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn verified(&self, context: &Context, users: &[UserId]) -> Result<Vec<Option<bool>>, Fault> {
        let mut tx = context.store.begin();
        let mut found = Vec::with_capacity(users.len());
        for user in users {
            let devices = totp::devices(tx.as_mut(), &self.0.app.id, user).await.map_err(failed)?;
            found.push((!devices.is_empty()).then(|| devices.iter().any(|device| device.verified)));
        }
        Ok(found)
    }
}
