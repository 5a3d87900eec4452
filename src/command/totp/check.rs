//! `POST /recipe/totp/verify` and `…/device/verify`.

use super::{Sealer, failed};
use crate::command::audit;
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::command::user::require_tenant;
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::time::{Reading, UnixMillis};
use crate::domain::totp::attempts::{Admission, Attempts, Limits};
use crate::domain::totp::{Code, MAX_CODE};
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::totp::{self, TotpDevice};

/// Checks a code.
pub struct CheckCode<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant, for which attempts are counted.
    pub tenant: TenantId,
    /// Whether those in other tenants count, too. Devices belong to the whole app: otherwise somebody with the first
    /// factor could try in each tenant, and use a code again.
    pub counts_all_tenants: bool,
    /// The user who presents the code.
    pub user_id: UserId,
    /// The device to verify with it; `None`: any verified one.
    pub device: Option<&'a str>,
    /// The code as presented.
    pub code: &'a str,
    /// The tenant's limits.
    pub limits: Limits,
}

/// The outcome of checking a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// The code is right, and used up; the device is verified.
    Ok {
        /// Whether the device was verified before: then the code was not checked.
        was_verified: bool,
    },
    /// The user has no such device.
    UnknownDevice,
    /// The user has no device at all.
    UnknownUser,
    /// The code is wrong, or used up.
    Invalid {
        /// Number of consecutive wrong codes, this one included.
        failures: u32,
    },
    /// Too many wrong codes before; this one was not checked.
    LimitReached {
        /// Number of consecutive wrong codes.
        failures: u32,
        /// Time until the next attempt, in ms.
        retry_after_ms: u64,
    },
}

impl CheckCode<'_> {
    /// Checks the code. Of several concurrent runs with one right code, one succeeds; each other counts as wrong.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Checked, Fault> {
        let sealer = Sealer::of(context, &self.scope).await?;
        let about = (&self.scope.app.id, &self.user_id);
        transact(context, &about, "committing a one-time code", |tx| self.attempt(context, tx, &sealer)).await
    }

    async fn attempt(&self, context: &Context, mut tx: Box<dyn Tx>, sealer: &Sealer) -> Result<Step<Checked>, Fault> {
        let (id, user) = (&self.scope.app.id, &self.user_id);
        require_tenant(tx.as_mut(), &self.scope, &self.tenant, "checking a one-time code").await?;
        let mut devices = totp::devices(tx.as_mut(), id, user).await.map_err(failed)?;
        if let Some(outcome) = self.settled(&devices) {
            return Ok(Step::Done(outcome));
        }
        let found = totp::attempts(tx.as_mut(), id, &self.tenant, user).await.map_err(failed)?;
        let is_first = found.is_none();
        let mut attempts = found.unwrap_or_default();
        let now = context.clock.reading();
        let elsewhere = match self.counts_all_tenants {
            true => totp::attempts_elsewhere(tx.as_mut(), id, &self.tenant, user).await.map_err(failed)?,
            false => Vec::new(),
        };
        let all = attempts.together_with(elsewhere.iter().map(|(_, attempts)| attempts), &now);
        let failures = match all.admission(self.limits, &now) {
            Admission::Open { failures } => failures,
            Admission::Closed { failures, retry_after_ms } => {
                return Ok(Step::Done(Checked::LimitReached { failures, retry_after_ms }));
            }
        };
        if self.code.chars().count() > MAX_CODE {
            return Ok(Step::Done(Checked::Invalid { failures: failures + 1 }));
        }
        let right = self.right(sealer, &mut devices, &all, now.wall)?;
        let is_right = right.is_some();
        let verifies = self.device.is_some() && is_right;
        let (outcome, event) = self.decide(right, failures, &mut attempts, now);
        if is_first || verifies {
            totp::put_devices(tx.as_mut(), id, user, devices).await.map_err(failed)?;
        }
        totp::put_attempts(tx.as_mut(), id, &self.tenant, user, attempts).map_err(failed)?;
        for (tenant, mut attempts) in elsewhere {
            if is_right && !attempts.failures.is_empty() {
                attempts.failures.clear();
                totp::put_attempts(tx.as_mut(), id, &tenant, user, attempts).map_err(failed)?;
            }
        }
        if let Some(event) = event {
            audit::note(tx.as_mut(), context, &self.scope, event).await?;
        }
        Ok(Step::Commit(tx, outcome))
    }

    /// The outcome that does not depend on the code, if there is one.
    fn settled(&self, devices: &[TotpDevice]) -> Option<Checked> {
        match self.device {
            None => devices.is_empty().then_some(Checked::UnknownUser),
            Some(name) => match devices.iter().find(|device| device.name == name) {
                None => Some(Checked::UnknownDevice),
                Some(device) => device.verified.then_some(Checked::Ok { was_verified: true }),
            },
        }
    }

    /// The code, and for how long it is used up (ms), if an eligible device accepts it now; that device is verified.
    fn right(
        &self,
        sealer: &Sealer,
        devices: &mut [TotpDevice],
        attempts: &Attempts,
        now: UnixMillis,
    ) -> Result<Option<(Code, u64)>, Fault> {
        let Some(code) = Code::parse(self.code).filter(|code| !attempts.is_used(*code, now)) else { return Ok(None) };
        let (mut is_right, mut window_ms) = (false, 0);
        for device in devices {
            let counts = self.device.map_or(device.verified, |name| device.name == name);
            // Devices may have the same secret: then the code is used up for as long as any of them accepts it.
            if device.pace.accepts(&sealer.open(&self.user_id, device)?, code, now) {
                window_ms = window_ms.max(device.pace.window_ms());
                device.verified |= counts;
                is_right |= counts;
            }
        }
        Ok(is_right.then_some((code, window_ms)))
    }

    /// Records the attempt.
    fn decide(
        &self,
        right: Option<(Code, u64)>,
        failures: u32,
        attempts: &mut Attempts,
        now: Reading,
    ) -> (Checked, Option<AuditEvent>) {
        let event = |kind| AuditEvent::of(kind).user(&self.user_id).tenant(&self.tenant);
        if let Some((code, window_ms)) = right {
            attempts.succeed(code, window_ms, now.wall);
            let added = self.device.map(|name| event(AuditKind::TotpDeviceAdded).detail(name));
            return (Checked::Ok { was_verified: false }, added);
        }
        attempts.fail(self.limits, now);
        let failures = failures + 1;
        let closed = failures >= self.limits.attempts;
        (Checked::Invalid { failures }, closed.then(|| event(AuditKind::TotpLimitReached)))
    }
}
