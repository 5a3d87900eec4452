//! `GET /recipe/session/user` and `GET /recipe/session`.

use crate::command::scope::Scope;
use crate::command::session::session_owner::{SessionOwner, SessionOwners};
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::ids::{AppId, SessionHandle, TenantId, UserId};
use crate::domain::json::JsonObject;
use crate::domain::session::client::SessionClients;
use crate::domain::session::event::{EventKind, UserChange};
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::state::directory::AppEntry;
use crate::store::session::{self, SessionRecord};
use crate::store::{Tx, timeline};

/// Lists a user's live sessions.
pub struct ListSessions {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// Id of the user.
    pub user_id: UserId,
    /// Whether to include sessions of all login methods that are linked to this one.
    pub linked: bool,
    /// Only sessions of this tenant; `None` for the whole app.
    pub tenant: Option<TenantId>,
}

impl ListSessions {
    /// Returns the handles as text.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Vec<String>, Fault> {
        let id = &self.scope.app.id;
        let owners = SessionOwners::find(context, id, &self.user_id, self.linked).await?;
        let live = live_sessions(context, id, &owners, self.tenant.as_ref()).await?;
        Ok(live.iter().map(ToString::to_string).collect())
    }
}

/// Sessions that have not expired, in one tenant or in the whole app.
pub(super) async fn live_sessions(
    context: &Context,
    id: &AppId,
    owners: &SessionOwners,
    tenant: Option<&TenantId>,
) -> Result<Vec<SessionHandle>, Fault> {
    let mut live = Vec::new();
    for user in &owners.ids {
        let mut pages = UserPages::new(id, user, tenant);
        loop {
            let mut tx = context.store.begin();
            let page = pages.next(tx.as_mut()).await?;
            if page.is_empty() {
                break;
            }
            let now = context.now();
            live.extend(page.into_iter().filter(|(_, row)| row.family.expires >= now).map(|(handle, _)| handle));
        }
    }
    Ok(live)
}

/// Looks up a session by its handle.
pub struct FindSession<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The session's handle as presented.
    pub handle: &'a str,
}

/// Whether a session goes on.
pub enum Liveness {
    /// It does.
    Live(Box<SessionInfo>),
    /// It was ended because its login method was linked to another user. If timelines are not kept, nobody knows.
    EndedByLinking,
    /// It has ended or expired, or never existed.
    Over,
}

/// A live session.
pub struct SessionInfo {
    /// Its handle.
    pub handle: SessionHandle,
    /// The id of the current primary user.
    pub user_id: UserId,
    /// The id of the login method.
    pub recipe_user_id: UserId,
    /// Data that is kept in the store only.
    pub user_data_in_database: JsonObject,
    /// Custom claims as stored.
    pub user_data_in_jwt: JsonObject,
    /// End of life unless refreshed.
    pub expiry: UnixMillis,
    /// When it was created.
    pub time_created: UnixMillis,
    /// The browsers or apps that use it, if they are known.
    pub clients: Option<SessionClients>,
}

impl FindSession<'_> {
    /// Whether the session goes on, and if not, whether linking has ended it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn liveness(self, context: &Context) -> Result<Liveness, Fault> {
        let (app, handle) = (self.scope.app.id.clone(), SessionHandle::parse(self.handle));
        if let Some(info) = self.run(context).await? {
            return Ok(Liveness::Live(Box::new(info)));
        }
        let Some(handle) = handle else { return Ok(Liveness::Over) };
        let ended = timeline::get(context.store.begin().as_mut(), &app, &handle).await;
        let ended = ended.map_err(|error| Fault::new("loading a timeline", error))?;
        let last = ended.as_ref().and_then(|record| record.log.events().last());
        let by_linking =
            last.is_some_and(|end| matches!(end.kind, EventKind::RevokedWithUser { change: UserChange::Linking, .. }));
        Ok(if by_linking { Liveness::EndedByLinking } else { Liveness::Over })
    }

    /// Returns the session; `None` when it is missing or has expired.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Option<SessionInfo>, Fault> {
        let Some(handle) = SessionHandle::parse(self.handle) else { return Ok(None) };
        let id = &self.scope.app.id;
        let named = &handle;
        let found = transact(context, named, "loading a session", |mut tx| async move {
            let found = session::get(tx.as_mut(), id, named).await;
            let found = found.map_err(|error| Fault::new("loading a session", error))?;
            let live = match found.filter(|record| record.family.expires > context.now()) {
                Some(record) => {
                    let owner = SessionOwner::of_row(tx.as_mut(), id, &record.user_id).await?;
                    Some((record, owner))
                }
                None => None,
            };
            Ok(Step::Commit(tx, live))
        });
        let Some((record, owner)) = found.await? else { return Ok(None) };
        Ok(Some(SessionInfo {
            handle,
            user_id: owner.user_id,
            recipe_user_id: owner.recipe_user_id,
            user_data_in_database: record.user_data_in_database,
            user_data_in_jwt: record.user_data_in_jwt,
            expiry: record.family.expires,
            time_created: record.created,
            clients: record.clients,
        }))
    }
}

/// Looks up the payload that is stored for a session.
pub struct FindPayload<'a> {
    /// The app.
    pub app: &'a AppEntry,
    /// The session's handle.
    pub handle: &'a SessionHandle,
}

impl FindPayload<'_> {
    /// Returns the payload; `None` when the session is missing or has expired.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Option<JsonObject>, Fault> {
        let found = session::head(context.store.begin().as_mut(), &self.app.id, self.handle).await;
        let head = found.map_err(|error| Fault::new("loading a session", error))?;
        Ok(head.filter(|head| head.family.expires > context.now()).map(|head| head.user_data_in_jwt))
    }
}

/// Walks a user's sessions in pages, so that a very large number does not fill the memory.
struct UserPages<'a> {
    app: &'a AppId,
    user: &'a UserId,
    tenant: Option<&'a TenantId>,
    after: Option<SessionHandle>,
}

impl<'a> UserPages<'a> {
    /// Sessions in one page.
    const SIZE: usize = 64;

    const fn new(app: &'a AppId, user: &'a UserId, tenant: Option<&'a TenantId>) -> Self {
        Self { app, user, tenant, after: None }
    }

    /// The next sessions with their rows, including expired ones, read through `tx`; empty at the end.
    async fn next(&mut self, tx: &mut dyn Tx) -> Result<Vec<(SessionHandle, SessionRecord)>, Fault> {
        let failed = |error| Fault::new("listing a user's sessions", error);
        loop {
            let after = self.after.as_ref();
            let page = session::of_user(tx, self.app, self.user, self.tenant, after, Self::SIZE).await;
            let page = page.map_err(failed)?;
            let Some(last) = page.last() else { return Ok(Vec::new()) };
            self.after = Some(last.clone());
            let mut found = Vec::with_capacity(page.len());
            for handle in page {
                match session::get(tx, self.app, &handle).await.map_err(failed)? {
                    Some(record) if record.user_id == *self.user => found.push((handle, record)),
                    // Removed since the scan.
                    _ => {}
                }
            }
            if !found.is_empty() {
                return Ok(found);
            }
        }
    }
}
