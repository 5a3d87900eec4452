//! The audit log: written in the transactions that it reports, read newest first.

mod limit;
mod read;

pub use limit::NoteLimitReached;
pub use read::{AuditEntry, AuditPage, Cursor, ReadAudit};

use crate::command::hook::raise;
use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::audit::{AuditEvent, masked};
use crate::domain::entropy::random_bytes;
use crate::domain::hook::HookEvent;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::audit::{self, AuditPlace, AuditRecord};

/// Adds an event to a transaction: to the audit log, unless the app keeps none, and for the hooks that are told of it.
/// Call it in each attempt.
///
/// # Errors
/// When the event is too large, or cannot be sealed.
pub async fn note(tx: &mut dyn Tx, context: &Context, scope: &Scope, event: AuditEvent) -> Result<(), Fault> {
    if let Some(event) = HookEvent::of_audit(&event) {
        raise(tx, context, scope, &event).await?;
    }
    let Scope { app: entry, cause } = scope;
    if entry.config.audit_retention_ms == 0 {
        return Ok(());
    }
    let AuditEvent { kind, user, recipe_user, tenant, recipe, login, detail } = event;
    let record = AuditRecord {
        kind,
        recipe_user: recipe_user.filter(|id| user.as_ref() != Some(id)),
        user,
        tenant,
        recipe: recipe.map(str::to_owned),
        login: login.as_deref().map(masked),
        detail,
        client: cause.client.map(|address| address.to_canonical().to_string()),
        caller: cause.caller.map(|address| address.to_canonical().to_string()),
        call: cause.call.to_owned(),
        request_id: cause.request_id.clone(),
    };
    let place = AuditPlace { at: context.now(), random: random_bytes(context.entropy.as_ref()) };
    audit::put(tx, &entry.id, &place, &record).map_err(|error| Fault::new("writing the audit log", error))
}
