//! The end of a session: its timeline, and the event that hooks are told.

use super::session_owner::SessionOwner;
use crate::command::hook::{is_wanted, raise};
use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::hook::{HookEvent, HookEventKind};
use crate::domain::ids::SessionHandle;
use crate::domain::session::event::{EventKind, UserChange};
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::session::{self, Ending, SessionRecord};

/// Ends a session in a transaction. Call it before its user changes in the same one.
///
/// # Errors
/// When the store fails.
pub async fn end_session(
    tx: &mut dyn Tx,
    context: &Context,
    scope: &Scope,
    handle: &SessionHandle,
    (record, ending): (SessionRecord, Ending),
) -> Result<(), Fault> {
    let app = &scope.app.id;
    if is_wanted(scope, HookEventKind::SessionEnded) {
        let owner = SessionOwner::of_row(tx, app, &record.user_id).await?;
        let ended = owner.event(HookEventKind::SessionEnded, (handle, record.clients.as_ref()));
        let event = HookEvent { detail: Some(reason(&ending.event)), ..ended };
        raise(tx, context, scope, &event).await?;
    }
    session::end(tx, app, handle, record, ending).map_err(|error| Fault::new("ending a session", error))
}

/// Why a session ended, as hooks are told.
const fn reason(event: &EventKind) -> &'static str {
    match event {
        EventKind::RevokedWithUser { change, .. } => match change {
            UserChange::Deletion => "user_deleted",
            UserChange::Linking => "account_linked",
            UserChange::Unlinking => "account_unlinked",
            UserChange::LeavingTenant => "removed_from_tenant",
            UserChange::Unmapping => "id_unmapped",
        },
        EventKind::Expired => "expired",
        EventKind::ReuseDetected { .. } => "token_reused",
        EventKind::Revoked { .. }
        | EventKind::Created { .. }
        | EventKind::Refreshed { .. }
        | EventKind::Promoted { .. }
        | EventKind::SiblingMoved { .. }
        | EventKind::Rotated { .. }
        | EventKind::GraceReplay { .. }
        | EventKind::PayloadUpdated { .. }
        | EventKind::DatabaseUpdated { .. }
        | EventKind::Regenerated { .. } => "revoked",
    }
}
