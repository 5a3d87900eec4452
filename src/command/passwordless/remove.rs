//! `POST /recipe/signinup/code/remove` and `POST /recipe/signinup/codes/remove`.

use super::{Place, failed};
use crate::command::retry::Retry;
use crate::context::Context;
use crate::domain::passwordless::{CodeId, Contact, Device, DeviceHash};
use crate::fault::Fault;

/// Takes codes back that were sent. What is not there is as good as removed.
pub struct RemoveCodes {
    /// Where.
    pub place: Place,
    /// Which.
    pub which: Which,
}

/// Which codes.
pub enum Which {
    /// One; a device whose last one it is goes with it.
    Code(CodeId),
    /// Those of a device.
    Device(DeviceHash),
    /// Those of all devices of a contact.
    Contact(Contact),
}

impl RemoveCodes {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &Context) -> Result<(), Fault> {
        let devices = self.place.devices();
        let mut retry = Retry::new(&app.contention, &self.place.tenant);
        loop {
            let mut tx = app.store.begin();
            let mut whole = true;
            match &self.which {
                Which::Contact(contact) => {
                    whole = devices.delete_of(tx.as_mut(), contact, None).await.map_err(failed)?;
                }
                Which::Device(hash) => {
                    let device = devices.get(tx.as_mut(), hash).await.map_err(failed)?;
                    devices.save(tx.as_mut(), hash, device.as_ref(), None).map_err(failed)?;
                }
                Which::Code(id) => {
                    let hash = devices.with_code(tx.as_mut(), *id).await.map_err(failed)?;
                    let Some(hash) = hash else { return Ok(()) };
                    let Some(before) = devices.get(tx.as_mut(), &hash).await.map_err(failed)? else { return Ok(()) };
                    let codes = before.codes.iter().copied().filter(|code| code.id != *id).collect();
                    let after = Device { codes, ..before.clone() };
                    devices.save(tx.as_mut(), &hash, Some(&before), Some(&after)).map_err(failed)?;
                }
            }
            if retry.commit(tx, "committing removed codes").await? && whole {
                return Ok(());
            }
        }
    }
}
