//! `POST /recipe/session/remove`.

use crate::command::activity::{Marked, mark_active};
use crate::command::scope::Scope;
use crate::command::session::holder::Holders;
use crate::command::session::list::live_sessions;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::ids::{SessionHandle, TenantId, UserId};
use crate::domain::session::event::{EventKind, UserChange};
use crate::fault::Fault;
use crate::store::Tx;
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
        /// Those of all login methods that are linked to this one, too.
        linked: bool,
        /// In this tenant; `None` for all of the app.
        tenant: Option<TenantId>,
    },
}

impl RevokeSessions {
    /// Runs the command; returns the handles that existed and are now gone, as text.
    ///
    /// # Errors
    /// When the store fails. Sessions revoked before the failure stay revoked.
    pub async fn run(self, app: &Context) -> Result<Vec<String>, Fault> {
        let mut active = None;
        let handles = match &self.which {
            Which::Handles(texts) => {
                let mut seen = HashSet::new();
                texts.iter().filter_map(|text| SessionHandle::parse(text)).filter(|h| seen.insert(h.clone())).collect()
            }
            Which::User { user_id, linked, tenant } => {
                let id = &self.scope.app.id;
                let holders = Holders::look(app, id, user_id, *linked).await?;
                let live = live_sessions(app, id, &holders, tenant.as_ref()).await?;
                active = Some(holders.user_id);
                live
            }
        };
        let mut gone = Vec::with_capacity(handles.len());
        for batch in handles.chunks(BATCH) {
            gone.extend(self.end(app, batch, active.as_ref()).await?);
        }
        app.metrics.sessions.revoked.inc_by(gone.len() as u64);
        Ok(gone)
    }

    /// Ends those of `batch` that exist, in one transaction, and marks a user as active.
    async fn end(&self, app: &Context, batch: &[SessionHandle], active: Option<&UserId>) -> Result<Vec<String>, Fault> {
        let Some(first) = batch.first() else { return Ok(Vec::new()) };
        let ended = transact(app, first, "committing ended sessions", |mut tx| async move {
            let id = &self.scope.app.id;
            let mut gone = Vec::with_capacity(batch.len());
            for handle in batch {
                let found = session::get(tx.as_mut(), id, handle).await;
                let Some(record) = found.map_err(|error| Fault::new("loading a session", error))? else { continue };
                session::end(tx.as_mut(), id, handle, record, ending(app, &self.scope, None))
                    .map_err(|error| Fault::new("ending a session", error))?;
                gone.push(handle.to_string());
            }
            if gone.is_empty() {
                return Ok(Step::Done((gone, Marked::NOBODY)));
            }
            let marked = match active {
                Some(user) => mark_active(tx.as_mut(), app, &self.scope.app, user, app.now())
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

/// The end of all sessions of users who change, in the transactions in which they change.
pub(in crate::command) struct SignOut<'a> {
    /// Where, and what the timelines name as the cause.
    pub(in crate::command) scope: &'a Scope,
    /// What becomes of the users.
    pub(in crate::command) change: UserChange,
    /// Whose: ids as sessions have them.
    pub(in crate::command) users: Vec<UserId>,
    /// In this tenant; `None` for all of the app.
    pub(in crate::command) tenant: Option<TenantId>,
}

/// What one transaction of a [`SignOut`] ends.
#[derive(Default)]
pub(in crate::command) struct SomeEnded {
    /// Sessions that end with it.
    pub(in crate::command) count: u64,
    /// There are more than one transaction should end.
    pub(in crate::command) more: bool,
}

impl SomeEnded {
    const fn is_nothing(&self) -> bool {
        self.count == 0 && !self.more
    }
}

impl SignOut<'_> {
    /// Ends sessions in `tx`, up to a bound.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::command) async fn some(&self, app: &Context, tx: &mut dyn Tx) -> Result<SomeEnded, Fault> {
        let failed = |error| Fault::new("ending a user's sessions", error);
        let id = &self.scope.app.id;
        let mut ended = SomeEnded { count: 0, more: false };
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
                        let ending = ending(app, self.scope, Some(self.change));
                        session::end(tx, id, &handle, record, ending).map_err(failed)?;
                        ended.count += 1;
                    }
                    // Gone since the scan; or a key without a row, which would be found again and again.
                    None => tx.delete(session::index_key(id, user, &handle)),
                }
            }
        }
        Ok(ended)
    }

    /// Ends what is left, in steps. Called once the users have changed: a session that was being created meanwhile has
    /// read them as they were, and is either written by now or will be made for them as they are.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::command) async fn rest(&self, app: &Context) -> Result<(), Fault> {
        loop {
            let ended = transact(app, &self.users, "committing ended sessions", |mut tx| async move {
                let ended = self.some(app, tx.as_mut()).await?;
                Ok(if ended.is_nothing() { Step::Done(ended) } else { Step::Commit(tx, ended) })
            });
            let ended = ended.await?;
            app.metrics.sessions.revoked.inc_by(ended.count);
            if ended.is_nothing() {
                return Ok(());
            }
        }
    }
}

/// How a session ends now, by this call; perhaps with its user.
fn ending(app: &Context, scope: &Scope, with: Option<UserChange>) -> Ending {
    let Scope { app: entry, cause } = scope;
    let (call, request_id) = (cause.call.to_owned(), cause.request_id.clone());
    let event = match with {
        None => EventKind::Revoked { call, request_id },
        Some(change) => EventKind::RevokedWithUser { change, call, request_id },
    };
    let at = app.now();
    Ending { event, at, purge_at: purge_at(entry.config.session_timeline_retention_ms, at) }
}
