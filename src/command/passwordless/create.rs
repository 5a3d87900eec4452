//! `POST /recipe/signinup/code`: another sign-in, or another code for one under way.

use super::{Place, failed};
use crate::command::transact::{Step, transact};
use crate::command::user::require_tenant;
use crate::context::Context;
use crate::crypto::link_code::link_code;
use crate::crypto::sealing::SealingKey;
use crate::domain::passwordless::{Code, CodeId, Contact, Device, DeviceHash, DeviceId, LinkCode, random_input_code};
use crate::domain::secret::Secret;
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::store::Tx;

/// Makes a code.
pub struct CreateCode {
    /// Where.
    pub place: Place,
    /// For whom.
    pub recipient: Recipient,
    /// The code to be typed in, if the caller chose one.
    pub input_code: Option<Secret<String>>,
}

/// Who is to get a code.
pub enum Recipient {
    /// Somebody who begins to sign in.
    Contact(Contact),
    /// Whoever began with this device: another message.
    Device(DeviceId),
}

/// How it ended.
pub enum CodeCreated {
    /// The code stands, durably.
    Ok(Box<NewCode>),
    /// There is no such device, or not any more.
    RestartFlow,
    /// The chosen code is one that the device has.
    InputCodeTaken,
}

/// A code to be sent.
pub struct NewCode {
    /// Its public name.
    pub id: CodeId,
    /// What everybody may know of the device.
    pub pre_auth_session: DeviceHash,
    /// The device, for who began.
    pub device: DeviceId,
    /// To be typed in on that device.
    pub input_code: Secret<String>,
    /// To be followed anywhere.
    pub link_code: LinkCode,
    /// When it was made.
    pub created: UnixMillis,
}

impl CreateCode {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store or the app's key fails.
    pub async fn run(self, app: &Context) -> Result<CodeCreated, Fault> {
        let ring = app.key_ring(&self.place.scope.app).await?;
        let device_id = match &self.recipient {
            Recipient::Contact(_) => DeviceId::random(app.entropy.as_ref()),
            Recipient::Device(id) => id.clone(),
        };
        transact(app, &device_id.hash(), "committing a code", |tx| {
            self.attempt(app, tx, &ring.refresh_sealing, &device_id)
        })
        .await
    }

    async fn attempt(
        &self,
        app: &Context,
        mut tx: Box<dyn Tx>,
        key: &SealingKey,
        device_id: &DeviceId,
    ) -> Result<Step<CodeCreated>, Fault> {
        let devices = self.place.devices();
        let hash = device_id.hash();
        require_tenant(tx.as_mut(), &self.place.scope, &self.place.tenant, "making a code").await?;
        let (before, mut after) = match &self.recipient {
            // Nobody else has drawn these 32 bytes.
            Recipient::Contact(contact) => {
                (None, Device { contact: contact.clone(), failed_attempts: 0, codes: Vec::new() })
            }
            Recipient::Device(_) => match devices.get(tx.as_mut(), &hash).await.map_err(failed)? {
                Some(device) => (Some(device.clone()), device),
                None => return Ok(Step::Done(CodeCreated::RestartFlow)),
            },
        };
        let Some(new) = self.add(app, key, &mut after, device_id) else {
            return Ok(Step::Done(CodeCreated::InputCodeTaken));
        };
        devices.save(tx.as_mut(), &hash, before.as_ref(), Some(&after)).map_err(failed)?;
        Ok(Step::Commit(tx, CodeCreated::Ok(Box::new(new))))
    }

    /// Adds a code to a device; `None` when the device has the chosen one. One that nobody chose is drawn anew until it
    /// is another.
    fn add(&self, app: &Context, key: &SealingKey, device: &mut Device, id: &DeviceId) -> Option<NewCode> {
        loop {
            let input_code = match &self.input_code {
                Some(chosen) => chosen.clone(),
                None => random_input_code(app.entropy.as_ref()),
            };
            let link_code = link_code(key, id, input_code.expose());
            let code =
                Code { id: CodeId::random(app.entropy.as_ref()), link_code: link_code.hash(), created: app.now() };
            if device.add(code, self.place.rules) {
                let (pre_auth_session, device) = (id.hash(), id.clone());
                return Some(NewCode {
                    id: code.id,
                    pre_auth_session,
                    device,
                    input_code,
                    link_code,
                    created: code.created,
                });
            }
            if self.input_code.is_some() {
                return None;
            }
        }
    }
}
