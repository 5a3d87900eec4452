//! Deletes events of the audit log after their retention time.

use crate::context::Context;
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::store::audit::{end_of, parse_key};
use crate::store::{CommitError, Key};

/// The outcome of a page.
pub(super) struct Purged {
    /// Number of events deleted.
    pub(super) events: u64,
    /// Where to continue instead of after the page: events of an app are in the order of their time, so that after one
    /// that is kept none is due.
    pub(super) skip_to: Option<Key>,
}

/// Deletes the events of a page whose retention time is over.
pub(super) async fn purge(context: &Context, page: &[(Key, Vec<u8>)], now: UnixMillis) -> Result<Purged, Fault> {
    let mut purged = Purged { events: 0, skip_to: None };
    let mut tx = context.store.begin();
    for (key, _) in page {
        let Some((id, place)) = parse_key(key) else { continue };
        let entry = context.directory.app(&id);
        let config = entry.as_ref().map_or(&context.directory.base().app, |entry| &entry.config);
        if place.at.plus(config.audit_retention_ms) > now {
            purged.skip_to = end_of(&id);
            break;
        }
        // Nothing else writes an event, so there is nothing that could conflict.
        tx.delete(key.clone());
        purged.events += 1;
    }
    if purged.events > 0 {
        tx.commit().await.map_err(|error: CommitError| Fault::new("committing purged audit events", error))?;
    }
    Ok(purged)
}
