//! `POST /recipe/session/remove`.

use crate::app::App;
use crate::command::retry::Retry;
use crate::command::session::Scope;
use crate::command::session::list::live_sessions;
use crate::domain::ids::{SessionHandle, TenantId, UserId};
use crate::domain::session::event::EventKind;
use crate::fault::Fault;
use crate::store::session::{self, Ending};
use crate::store::timeline::purge_at;
use std::collections::HashSet;

/// Sessions ended in one transaction.
const BATCH: usize = 64;

/// Ends sessions.
pub struct RevokeSessions {
    /// Where.
    pub scope: Scope,
    /// Which.
    pub which: Which,
}

/// Which sessions to end.
pub enum Which {
    /// These; unknown ones are skipped.
    Handles(Vec<String>),
    /// All live sessions of a user in one tenant, or in all.
    User {
        /// Whose.
        user_id: UserId,
        /// In this tenant; `None` for all of the app.
        tenant: Option<TenantId>,
    },
}

impl RevokeSessions {
    /// Runs the command; returns the handles that existed and are now gone, as text.
    ///
    /// # Errors
    /// When the store fails. Sessions revoked before the failure stay revoked.
    pub async fn run(self, app: &App) -> Result<Vec<String>, Fault> {
        let handles = match &self.which {
            Which::Handles(texts) => {
                let mut seen = HashSet::new();
                texts.iter().filter_map(|text| SessionHandle::parse(text)).filter(|h| seen.insert(h.clone())).collect()
            }
            Which::User { user_id, tenant } => live_sessions(app, &self.scope.app.id, user_id, tenant.as_ref()).await?,
        };
        let mut gone = Vec::with_capacity(handles.len());
        for batch in handles.chunks(BATCH) {
            gone.extend(self.end(app, batch).await?);
        }
        app.metrics.sessions.revoked.inc_by(gone.len() as u64);
        Ok(gone)
    }

    /// Ends those of `batch` that exist, in one transaction.
    async fn end(&self, app: &App, batch: &[SessionHandle]) -> Result<Vec<String>, Fault> {
        let Scope { app: entry, cause } = &self.scope;
        let Some(first) = batch.first() else { return Ok(Vec::new()) };
        let mut retry = Retry::new(&app.contention, first);
        loop {
            let mut tx = app.store.begin();
            let mut gone = Vec::with_capacity(batch.len());
            for handle in batch {
                let found = session::get(tx.as_mut(), &entry.id, handle).await;
                let Some(record) = found.map_err(|error| Fault::new("loading a session", error))? else { continue };
                let event = EventKind::Revoked { call: cause.call.to_owned(), request_id: cause.request_id.clone() };
                let now = app.now();
                let purge_at = purge_at(entry.config.session_timeline_retention_ms, now);
                session::end(tx.as_mut(), &entry.id, handle, record, Ending { event, at: now, purge_at })
                    .map_err(|error| Fault::new("ending a session", error))?;
                gone.push(handle.to_string());
            }
            if gone.is_empty() || retry.commit(tx, "committing ended sessions").await? {
                return Ok(gone);
            }
        }
    }
}
