//! A presented code, and `POST /recipe/signinup/code/check`, which only checks whether it is valid.

use super::{PasswordlessScope, failed};
use crate::command::audit;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::crypto::link_code::link_code;
use crate::domain::audit::AuditKind;
use crate::domain::passwordless::{Contact, Device, DeviceHash, DeviceId, LinkCode, LinkCodeHash, Verdict};
use crate::domain::secret::Secret;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::user::Found;
use std::hash::Hash;

/// A code presented by a person.
pub struct Attempt {
    /// The app, the tenant and its rules.
    pub place: PasswordlessScope,
    /// The device that the caller names; `None` if its text is not a device id.
    pub pre_auth_session: Option<DeviceHash>,
    /// The code.
    pub presented: Presented,
}

/// The secret that a person presents.
pub enum Presented {
    /// The code of a link.
    LinkCode(LinkCode),
    /// A code typed in on the device that began the sign-in.
    InputCode {
        /// That device.
        device: DeviceId,
        /// The code.
        code: Secret<String>,
    },
}

/// A device whose code was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RightDevice {
    /// Its public id.
    pub hash: DeviceHash,
    /// Number of attempts that had failed before.
    pub failed_attempts: u64,
    /// The contact that the code was sent to.
    pub contact: Contact,
}

/// Why a code is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Unknown or expired link, unknown device, or no attempt is left.
    RestartFlow,
    /// A wrong or expired input code; the next attempt may succeed.
    WrongInput {
        /// Whether it was right but has expired.
        expired: bool,
        /// Number of failed attempts, this one included.
        failed_attempts: u64,
        /// Number of failed attempts at which the sign-in ends.
        attempts_max: u64,
    },
    /// The code belongs to another device than the caller names.
    OtherDevice,
}

/// Checks whether a code is valid. Failed attempts count; a right one changes nothing.
pub struct CheckCode(
    /// The code to check.
    pub Attempt,
);

impl CheckCode {
    /// Checks the code and returns the outcome.
    ///
    /// # Errors
    /// When the store or the app's key fails.
    pub async fn run(self, context: &Context) -> Result<Result<RightDevice, Refused>, Fault> {
        let code = self.0.link_code(context).await?;
        let (attempt, code) = (&self.0, &code);
        transact(context, attempt.about(), "committing a checked code", |mut tx| async move {
            let outcome = attempt.decide(context, tx.as_mut(), code).await?;
            Ok(Step::Commit(tx, outcome))
        })
        .await
    }
}

impl Attempt {
    /// The hash of the presented link code; for a code that was typed in, of the one that it belongs to.
    pub(super) async fn link_code(&self, context: &Context) -> Result<LinkCodeHash, Fault> {
        match &self.presented {
            Presented::LinkCode(link) => Ok(link.hash()),
            Presented::InputCode { device, code } => {
                let ring = context.key_ring(&self.place.scope.app).await?;
                Ok(link_code(&ring.refresh_sealing, device, code.expose()).hash())
            }
        }
    }

    /// The key by which attempts on one device are queued.
    pub(super) const fn about(&self) -> &impl Hash {
        &self.pre_auth_session
    }

    /// Checks the code and records a failed attempt. The transaction must be committed either way.
    pub(super) async fn decide(
        &self,
        context: &Context,
        tx: &mut dyn Tx,
        code: &LinkCodeHash,
    ) -> Result<Result<RightDevice, Refused>, Fault> {
        let Some((hash, device)) = self.device(tx, code).await? else { return Ok(Err(Refused::RestartFlow)) };
        let (rules, now) = (self.place.rules, context.now());
        let verdict = match &self.presented {
            Presented::LinkCode(_) => device.judge_link(code, rules, now),
            Presented::InputCode { .. } => device.judge_input(code, rules, now),
        };
        if verdict != Verdict::DeadLink && self.pre_auth_session != Some(hash) {
            return Ok(Err(Refused::OtherDevice));
        }
        let (refused, why) = match verdict {
            Verdict::Right => {
                let Device { contact, failed_attempts, .. } = device;
                return Ok(Ok(RightDevice { hash, failed_attempts, contact }));
            }
            Verdict::DeadLink => return Ok(Err(Refused::RestartFlow)),
            Verdict::UsedUp => (Refused::RestartFlow, "too many wrong codes"),
            Verdict::Failed { failed_attempts, expired } => {
                let refused = Refused::WrongInput { expired, failed_attempts, attempts_max: rules.attempts_max };
                (refused, if expired { "expired code" } else { "wrong code" })
            }
        };
        let after = match verdict {
            Verdict::Failed { failed_attempts, .. } => Some(Device { failed_attempts, ..device.clone() }),
            _ => None,
        };
        self.place.devices().save(tx, &hash, Some(&device), after.as_ref()).map_err(failed)?;
        self.note_refusal(context, tx, &device.contact, why).await?;
        Ok(Err(refused))
    }

    /// Records a refusal in the audit log. The contact's owner, if there is one, is named, so that attempts on an account
    /// are found by its id.
    async fn note_refusal(
        &self,
        context: &Context,
        tx: &mut dyn Tx,
        contact: &Contact,
        why: &str,
    ) -> Result<(), Fault> {
        let refused = self.place.event(AuditKind::SignInRefused, contact).detail(why);
        let event = match self.place.owner(tx, contact).await? {
            Some(Found { user, id }) => refused.user(user.shown_id()).recipe_user(user.shown(&id)),
            None => refused,
        };
        audit::note(tx, context, &self.place.scope, event).await
    }

    /// The device that the code is for: the one that began, or the one to which the link belongs.
    async fn device(&self, tx: &mut dyn Tx, code: &LinkCodeHash) -> Result<Option<(DeviceHash, Device)>, Fault> {
        let devices = self.place.devices();
        let hash = match &self.presented {
            Presented::InputCode { device, .. } => device.hash(),
            Presented::LinkCode(_) => {
                if let Some(named) = self.pre_auth_session
                    && let Some(device) = devices.get(tx, &named).await.map_err(failed)?
                    && device.code(code).is_some()
                {
                    return Ok(Some((named, device)));
                }
                match devices.with_link_code(tx, code).await.map_err(failed)? {
                    Some(hash) => hash,
                    None => return Ok(None),
                }
            }
        };
        Ok(devices.get(tx, &hash).await.map_err(failed)?.map(|device| (hash, device)))
    }
}
