//! `POST /recipe/signinup/code/remove` and `POST /recipe/signinup/codes/remove`.

use super::{PasswordlessScope, failed};
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::passwordless::{CodeId, Contact, Device, DeviceHash};
use crate::fault::Fault;
use crate::store::Tx;

/// Revokes codes that were sent. Codes that do not exist count as removed.
pub struct RemoveCodes {
    /// The app, the tenant and its rules.
    pub place: PasswordlessScope,
    /// The codes to remove.
    pub which: Which,
}

/// A choice of codes.
pub enum Which {
    /// One code; if it is the last of its device, the device is removed too.
    Code(CodeId),
    /// The codes of a device.
    Device(DeviceHash),
    /// The codes of all devices of a contact.
    Contact(Contact),
}

impl RemoveCodes {
    /// Removes the codes.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<(), Fault> {
        transact(context, &self.place.tenant, "committing removed codes", |tx| self.attempt(tx)).await
    }

    async fn attempt(&self, mut tx: Box<dyn Tx>) -> Result<Step<()>, Fault> {
        let devices = self.place.devices();
        match &self.which {
            Which::Contact(contact) => {
                if !devices.delete_of(tx.as_mut(), contact, None).await.map_err(failed)? {
                    return Ok(Step::Continue(tx));
                }
            }
            Which::Device(hash) => {
                let device = devices.get(tx.as_mut(), hash).await.map_err(failed)?;
                devices.save(tx.as_mut(), hash, device.as_ref(), None).map_err(failed)?;
            }
            Which::Code(id) => {
                let hash = devices.with_code(tx.as_mut(), *id).await.map_err(failed)?;
                let Some(hash) = hash else { return Ok(Step::Done(())) };
                let before = devices.get(tx.as_mut(), &hash).await.map_err(failed)?;
                let Some(before) = before else { return Ok(Step::Done(())) };
                let codes = before.codes.iter().copied().filter(|code| code.id != *id).collect();
                let after = Device { codes, ..before.clone() };
                devices.save(tx.as_mut(), &hash, Some(&before), Some(&after)).map_err(failed)?;
            }
        }
        Ok(Step::Commit(tx, ()))
    }
}
