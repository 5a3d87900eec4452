//! A limit of the front door was reached.

use super::note;
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::TenantId;
use crate::fault::Fault;

/// Notes that requests are being refused: once for each burst, and not for more bursts than the log should hold.
pub struct NoteLimitReached<'a> {
    /// The app, and what led to the command.
    pub scope: &'a Scope,
    /// The tenant that the first refused request named, if it exists.
    pub tenant: Option<&'a TenantId>,
    /// The account that it named, existing or not.
    pub account: Option<&'a str>,
    /// The limit.
    pub limit: String,
}

impl NoteLimitReached<'_> {
    /// Notes it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<(), Fault> {
        if !context.limits.may_note(&self.scope.app, context.steady()) {
            return Ok(());
        }
        transact(context, &self.scope.app.id.app_id, "noting that a limit was reached", |mut tx| async {
            let mut event = AuditEvent::of(AuditKind::LimitReached).detail(&self.limit);
            if let Some(tenant) = self.tenant {
                event = event.tenant(tenant);
            }
            if let Some(account) = self.account {
                event = event.login(account);
            }
            note(tx.as_mut(), context, self.scope, event).await?;
            Ok(Step::Commit(tx, ()))
        })
        .await
    }
}
