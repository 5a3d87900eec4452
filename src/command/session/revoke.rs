//! `POST /recipe/session/remove`.

use crate::command::activity::{Marked, mark_active};
use crate::command::scope::Scope;
use crate::command::session::ending::end_session;
use crate::command::session::list::live_sessions;
use crate::command::session::session_owner::SessionOwners;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::ids::{SessionHandle, TenantId, UserId};
use crate::domain::session::event::{EventKind, UserChange};
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::session::{self, Ending};
use crate::store::timeline::purge_at;
use std::collections::HashSet;

/// The most sessions ended in one transaction.
const BATCH: usize = 64;

/// Ends sessions.
pub struct RevokeSessions {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The sessions to end.
    pub which: Which,
}

/// A choice of sessions to end.
pub enum Which {
    /// The sessions with these handles; unknown ones are skipped.
    Handles(Vec<String>),
    /// All live sessions of a user, in one tenant or in the whole app.
    User {
        /// Id of the user.
        user_id: UserId,
        /// Whether to include sessions of all login methods that are linked to this one.
        linked: bool,
        /// Only sessions of this tenant; `None` for the whole app.
        tenant: Option<TenantId>,
    },
}

impl RevokeSessions {
    /// Ends the sessions; returns the handles of those that existed, as text.
    ///
    /// # Errors
    /// When the store fails. Sessions revoked before the failure stay revoked.
    pub async fn run(self, context: &Context) -> Result<Vec<String>, Fault> {
        let mut active = None;
        let handles = match &self.which {
            Which::Handles(texts) => {
                let mut seen = HashSet::new();
                texts.iter().filter_map(|text| SessionHandle::parse(text)).filter(|h| seen.insert(h.clone())).collect()
            }
            Which::User { user_id, linked, tenant } => {
                let id = &self.scope.app.id;
                let owners = SessionOwners::find(context, id, user_id, *linked).await?;
                let live = live_sessions(context, id, &owners, tenant.as_ref()).await?;
                active = Some(owners.user_id);
                live
            }
        };
        let mut gone = Vec::with_capacity(handles.len());
        for batch in handles.chunks(BATCH) {
            gone.extend(self.end(context, batch, active.as_ref()).await?);
        }
        context.metrics.sessions.revoked.inc_by(gone.len() as u64);
        Ok(gone)
    }

    /// Ends the sessions of `batch` that exist, in one transaction, and marks a user as active.
    async fn end(
        &self,
        context: &Context,
        batch: &[SessionHandle],
        active: Option<&UserId>,
    ) -> Result<Vec<String>, Fault> {
        let Some(first) = batch.first() else { return Ok(Vec::new()) };
        let ended = transact(context, first, "committing ended sessions", |mut tx| async move {
            let id = &self.scope.app.id;
            let mut gone = Vec::with_capacity(batch.len());
            for handle in batch {
                let found = session::get(tx.as_mut(), id, handle).await;
                let Some(record) = found.map_err(|error| Fault::new("loading a session", error))? else { continue };
                let ending = (record, ending(context, &self.scope, None));
                end_session(tx.as_mut(), context, &self.scope, handle, ending).await?;
                gone.push(handle.to_string());
            }
            if gone.is_empty() {
                return Ok(Step::Done((gone, Marked::NOBODY)));
            }
            let marked = match active {
                Some(user) => mark_active(tx.as_mut(), context, &self.scope.app, user, context.now())
                    .await
                    .map_err(|error| Fault::new("marking a user as active", error))?,
                None => Marked::NOBODY,
            };
            Ok(Step::Commit(tx, (gone, marked)))
        });
        let (gone, marked) = ended.await?;
        marked.committed();
        Ok(gone)
    }
}

/// Ends all sessions of users that change, in the transactions in which they change.
pub(in crate::command) struct EndUserSessions<'a> {
    /// The app, and the cause that the timelines name.
    pub(in crate::command) scope: &'a Scope,
    /// What happens to the users.
    pub(in crate::command) change: UserChange,
    /// The users, by their ids as sessions have them.
    pub(in crate::command) users: Vec<UserId>,
    /// Only sessions of this tenant; `None` for the whole app.
    pub(in crate::command) tenant: Option<TenantId>,
}

/// What one transaction of a [`EndUserSessions`] ends.
#[derive(Default)]
pub(in crate::command) struct EndedBatch {
    /// Number of sessions that end with it.
    pub(in crate::command) count: u64,
    /// Whether there are more than one transaction should end.
    pub(in crate::command) more: bool,
}

impl EndedBatch {
    const fn is_nothing(&self) -> bool {
        self.count == 0 && !self.more
    }
}

impl EndUserSessions<'_> {
    /// Ends sessions in `tx`, up to a bound.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::command) async fn end_batch(&self, context: &Context, tx: &mut dyn Tx) -> Result<EndedBatch, Fault> {
        let failed = |error| Fault::new("ending a user's sessions", error);
        let id = &self.scope.app.id;
        let mut ended = EndedBatch { count: 0, more: false };
        let mut room = BATCH;
        for user in &self.users {
            let mut handles =
                session::of_user(tx, id, user, self.tenant.as_ref(), None, room + 1).await.map_err(failed)?;
            ended.more |= handles.len() > room;
            handles.truncate(room);
            for handle in handles {
                room -= 1;
                match session::get(tx, id, &handle).await.map_err(failed)? {
                    Some(record) => {
                        let ending = (record, ending(context, self.scope, Some(self.change)));
                        end_session(tx, context, self.scope, &handle, ending).await?;
                        ended.count += 1;
                    }
                    // Removed since the scan; or a key without a row, which would be found again and again.
                    None => tx.delete(session::index_key(id, user, &handle)),
                }
            }
        }
        Ok(ended)
    }

    /// Ends what is left, in steps. Called once the users have changed: a session that was being created meanwhile has
    /// read them as they were, so it either has been written by now or will be created for the users as they are.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::command) async fn end_rest(&self, context: &Context) -> Result<(), Fault> {
        loop {
            let ended = transact(context, &self.users, "committing ended sessions", |mut tx| async move {
                let ended = self.end_batch(context, tx.as_mut()).await?;
                Ok(if ended.is_nothing() { Step::Done(ended) } else { Step::Commit(tx, ended) })
            });
            let ended = ended.await?;
            context.metrics.sessions.revoked.inc_by(ended.count);
            if ended.is_nothing() {
                return Ok(());
            }
        }
    }
}

/// How a session ends now, by this call, possibly because its user changes.
fn ending(context: &Context, scope: &Scope, with: Option<UserChange>) -> Ending {
    let Scope { app: entry, cause } = scope;
    let (call, request_id) = (cause.call.to_owned(), cause.request_id.clone());
    let event = match with {
        None => EventKind::Revoked { call, request_id },
        Some(change) => EventKind::RevokedWithUser { change, call, request_id },
    };
    let at = context.now();
    Ending { event, at, purge_at: purge_at(entry.config.session_timeline_retention_ms, at) }
}
