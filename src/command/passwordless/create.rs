//! `POST /recipe/signinup/code`: a new sign-in, or another code for a pending one.

use super::{PasswordlessScope, failed};
use crate::command::outbox::CodeMessage;
use crate::command::transact::{Step, transact};
use crate::command::user::require_tenant;
use crate::context::Context;
use crate::crypto::link_code::link_code;
use crate::crypto::sealing::SealingKey;
use crate::domain::passwordless::{Code, CodeId, Contact, Device, DeviceId, NewCode, random_input_code};
use crate::domain::secret::Secret;
use crate::fault::Fault;
use crate::store::Tx;

/// Creates a code.
pub struct CreateCode {
    /// The app, the tenant and its rules.
    pub place: PasswordlessScope,
    /// The recipient of the code.
    pub recipient: Recipient,
    /// The code to type in, if the caller chose one.
    pub input_code: Option<Secret<String>>,
    /// The message that brings the code to its recipient; without one, the caller does.
    pub message: Option<CodeMessage>,
}

/// The recipient of a code.
pub enum Recipient {
    /// A contact whose owner begins to sign in.
    Contact(Contact),
    /// A pending sign-in, by its device: another message is sent.
    Device(DeviceId),
}

/// The outcome of creating a code.
pub enum CodeCreated {
    /// The code is created, durably.
    Ok(Box<NewCode>),
    /// There is no such device (any more).
    RestartFlow,
    /// The device already has the chosen code.
    InputCodeTaken,
}

impl CreateCode {
    /// Creates the code and returns the outcome.
    ///
    /// # Errors
    /// When the store or the app's key fails.
    pub async fn run(self, context: &Context) -> Result<CodeCreated, Fault> {
        let ring = context.key_ring(&self.place.scope.app).await?;
        let device_id = match &self.recipient {
            Recipient::Contact(_) => DeviceId::random(context.entropy.as_ref()),
            Recipient::Device(id) => id.clone(),
        };
        let created = transact(context, &device_id.hash(), "committing a code", |tx| {
            self.attempt(context, tx, &ring.refresh_sealing, &device_id)
        })
        .await?;
        if self.message.is_some() && matches!(created, CodeCreated::Ok(_)) {
            context.outbox.notify();
        }
        Ok(created)
    }

    async fn attempt(
        &self,
        context: &Context,
        mut tx: Box<dyn Tx>,
        key: &SealingKey,
        device_id: &DeviceId,
    ) -> Result<Step<CodeCreated>, Fault> {
        let devices = self.place.devices();
        let hash = device_id.hash();
        require_tenant(tx.as_mut(), &self.place.scope, &self.place.tenant, "creating a code").await?;
        let (before, mut after) = match &self.recipient {
            // These 32 random bytes are unique.
            Recipient::Contact(contact) => {
                (None, Device { contact: contact.clone(), failed_attempts: 0, codes: Vec::new() })
            }
            Recipient::Device(_) => match devices.get(tx.as_mut(), &hash).await.map_err(failed)? {
                Some(device) => (Some(device.clone()), device),
                None => return Ok(Step::Done(CodeCreated::RestartFlow)),
            },
        };
        let Some(new) = self.add(context, key, &mut after, device_id) else {
            return Ok(Step::Done(CodeCreated::InputCodeTaken));
        };
        devices.save(tx.as_mut(), &hash, before.as_ref(), Some(&after)).map_err(failed)?;
        if let Some(message) = &self.message {
            message.add(context, tx.as_mut(), &new, self.place.rules.lifetime_ms).await?;
        }
        Ok(Step::Commit(tx, CodeCreated::Ok(Box::new(new))))
    }

    /// Adds a code to a device; `None` when the device already has the chosen one. A random code is drawn again until
    /// it is a new one.
    fn add(&self, context: &Context, key: &SealingKey, device: &mut Device, id: &DeviceId) -> Option<NewCode> {
        loop {
            let input_code = match &self.input_code {
                Some(chosen) => chosen.clone(),
                None => random_input_code(context.entropy.as_ref()),
            };
            let link_code = link_code(key, id, input_code.expose());
            let code = Code {
                id: CodeId::random(context.entropy.as_ref()),
                link_code: link_code.hash(),
                created: context.now(),
            };
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
