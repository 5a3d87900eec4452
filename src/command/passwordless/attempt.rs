//! A code that was presented, and `POST /recipe/signinup/code/check`, which only asks what it is worth.

use super::{Place, failed};
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

/// A code that somebody presents.
pub struct Attempt {
    /// Where.
    pub place: Place,
    /// For which device, as the caller says; `None` for text that names none.
    pub pre_auth_session: Option<DeviceHash>,
    /// The code.
    pub presented: Presented,
}

/// What somebody has in hands.
pub enum Presented {
    /// The link.
    LinkCode(LinkCode),
    /// The code, typed in on the device that began.
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
    /// Its public name.
    pub hash: DeviceHash,
    /// Attempts that had failed before.
    pub failed_attempts: u64,
    /// Whose code it was.
    pub contact: Contact,
}

/// Why a code is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Unknown or late link, unknown device, or no attempt is left.
    RestartFlow,
    /// A wrong or late input code; the next attempt may be better.
    WrongInput {
        /// It was right once.
        expired: bool,
        /// Attempts that have failed by now.
        failed_attempts: u64,
        /// The attempt of this number may not fail.
        attempts_max: u64,
    },
    /// The code is of another device than the caller says.
    OtherDevice,
}

/// Asks what a code is worth. Failed attempts count; a right one changes nothing.
pub struct CheckCode(
    /// The code.
    pub Attempt,
);

impl CheckCode {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store or the app's key fails.
    pub async fn run(self, app: &Context) -> Result<Result<RightDevice, Refused>, Fault> {
        let code = self.0.link_code(app).await?;
        let (attempt, code) = (&self.0, &code);
        transact(app, attempt.about(), "committing a checked code", |mut tx| async move {
            let outcome = attempt.decide(app, tx.as_mut(), code).await?;
            Ok(Step::Commit(tx, outcome))
        })
        .await
    }
}

impl Attempt {
    /// What the code leads to.
    pub(super) async fn link_code(&self, app: &Context) -> Result<LinkCodeHash, Fault> {
        match &self.presented {
            Presented::LinkCode(link) => Ok(link.hash()),
            Presented::InputCode { device, code } => {
                let ring = app.key_ring(&self.place.scope.app).await?;
                Ok(link_code(&ring.refresh_sealing, device, code.expose()).hash())
            }
        }
    }

    /// Attempts on one device queue behind each other.
    pub(super) const fn about(&self) -> &impl Hash {
        &self.pre_auth_session
    }

    /// Judges the code, and writes what a failed attempt leaves behind. The transaction is to be committed either way.
    pub(super) async fn decide(
        &self,
        app: &Context,
        tx: &mut dyn Tx,
        code: &LinkCodeHash,
    ) -> Result<Result<RightDevice, Refused>, Fault> {
        let Some((hash, device)) = self.device(tx, code).await? else { return Ok(Err(Refused::RestartFlow)) };
        let (rules, now) = (self.place.rules, app.now());
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
        self.note_refusal(app, tx, &device.contact, why).await?;
        Ok(Err(refused))
    }

    /// Of a contact that somebody signs in with its owner is named, so that attempts on an account are found by its id.
    async fn note_refusal(&self, app: &Context, tx: &mut dyn Tx, contact: &Contact, why: &str) -> Result<(), Fault> {
        let refused = self.place.event(AuditKind::SignInRefused, contact).detail(why);
        let event = match self.place.owner(tx, contact).await? {
            Some(Found { user, id }) => refused.user(user.shown_id()).recipe_user(user.shown(&id)),
            None => refused,
        };
        audit::note(tx, app, &self.place.scope, event)
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
