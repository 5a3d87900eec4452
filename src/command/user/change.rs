//! Changes of users: decide on what the store holds, write, and end the affected sessions.

use super::UserInfo;
use crate::command::activity::{Marked, mark_active};
use crate::command::audit;
use crate::command::scope::Scope;
use crate::command::session::revoke::{EndUserSessions, EndedBatch};
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::audit::AuditEvent;
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::passwordless::Contact;
use crate::domain::session::event::UserChange;
use crate::domain::user::{AccountInfo, LoginMethod, User};
use crate::fault::Fault;
use crate::store::user::{self, Found, Taken};
use crate::store::{StoreError, Tx, activity, passwordless, user_data};
use async_trait::async_trait;
use std::collections::BTreeSet;

/// Users before and after, and the effects on other data.
#[derive(Debug, Default)]
pub(super) struct UserUpdate {
    /// The users as the transaction read them.
    pub(super) before: Vec<User>,
    /// The users as they will be.
    pub(super) after: Vec<User>,
    /// The users whose sessions end (ids as sessions have them), and why.
    pub(super) signed_out: Option<(UserChange, Vec<UserId>)>,
    /// The users whose data in other recipes is deleted (ids as those recipes have them).
    pub(super) forgotten: Vec<UserId>,
    /// Restricts those sessions and data to this tenant; `None` for the whole app.
    pub(super) only_in: Option<TenantId>,
    /// The ids between which verified addresses move: from, to.
    pub(super) verification_moved: Option<(UserId, UserId)>,
    /// The ids between which the mark of activity moves: from, to.
    pub(super) activity_moved: Option<(UserId, UserId)>,
    /// The users whose mark of activity is deleted (ids as callers see them).
    pub(super) inactive: Vec<UserId>,
    /// The user who is active now (id as callers see it).
    pub(super) active: Option<UserId>,
    /// The audit events of the change.
    pub(super) audit: Vec<AuditEvent>,
}

impl UserUpdate {
    /// The users whose marks of activity are deleted or move (ids as callers see them).
    fn cleared_marks(&self) -> impl Iterator<Item = &UserId> {
        let forgotten = self.forgotten.iter().filter(|_| self.only_in.is_none());
        let moved = self.activity_moved.iter().flat_map(|(from, to)| [from, to]);
        forgotten.chain(&self.inactive).chain(moved)
    }
}

/// The result of a decision.
pub(super) enum Decision<T> {
    /// Nothing to write.
    Done(T),
    /// The outcome holds once the change is written.
    Change(Box<UserUpdate>, T),
}

impl<'a> EndUserSessions<'a> {
    /// The sessions that end with a change.
    fn of(scope: &'a Scope, change: &UserUpdate) -> Option<Self> {
        let (reason, users) = change.signed_out.clone()?;
        Some(Self { scope, change: reason, users, tenant: change.only_in.clone() })
    }
}

impl<T> Decision<T> {
    fn outcome(self) -> T {
        match self {
            Self::Done(outcome) | Self::Change(_, outcome) => outcome,
        }
    }
}

/// A command that changes users: the part that runs again when something it has read has changed.
#[async_trait]
pub(super) trait Decide: Sync {
    /// The outcome of the command.
    type Outcome: Send;

    /// Loads and decides.
    async fn decide(&self, tx: &mut dyn Tx) -> Result<Decision<Self::Outcome>, Fault>;
}

/// Decides without writing: what would happen, as of one moment.
pub(super) async fn check<D: Decide>(context: &Context, about: &UserId, command: &D) -> Result<D::Outcome, Fault> {
    transact(context, about, "looking up users", |mut tx| async move {
        let decision = command.decide(tx.as_mut()).await;
        Ok(Step::Commit(tx, decision))
    })
    .await?
    .map(Decision::outcome)
}

/// Decides and writes.
///
/// Sessions end in the transaction that changes the users. If there are more than one transaction should end, as many
/// as it takes end in transactions before, each of which checks again that the change is still to happen.
pub(super) async fn run<D: Decide>(
    context: &Context,
    scope: &Scope,
    about: &UserId,
    command: &D,
) -> Result<D::Outcome, Fault> {
    loop {
        let attempt = Attempt { context, scope, command };
        let attempted = transact(context, about, "committing a change of users", |tx| attempt.run(tx)).await?;
        match attempted {
            Attempted::Decided(outcome) => return outcome,
            Attempted::Ended(count) => {
                context.metrics.sessions.revoked.inc_by(count);
            }
            Attempted::Changed(changed, outcome) => {
                context.metrics.sessions.revoked.inc_by(changed.ended);
                changed.change.cleared_marks().for_each(|id| context.activity.forget(&scope.app, id));
                changed.active.committed();
                if let Some(ending_sessions) = EndUserSessions::of(scope, &changed.change) {
                    ending_sessions.end_rest(context).await?;
                }
                return Ok(outcome);
            }
        }
    }
}

/// The result of a transaction once it is committed.
enum Attempted<T> {
    /// There was nothing to write. An attempt that read a half-made change may also find an invariant broken.
    Decided(Result<T, Fault>),
    /// This many sessions have ended, and there are more.
    Ended(u64),
    /// The change is written.
    Changed(Changed, T),
}

/// A change that has been written.
struct Changed {
    change: Box<UserUpdate>,
    /// The sessions that ended with it.
    ended: u64,
    active: Marked,
}

struct Attempt<'a, D> {
    context: &'a Context,
    scope: &'a Scope,
    command: &'a D,
}

impl<D: Decide> Attempt<'_, D> {
    async fn run(&self, mut tx: Box<dyn Tx>) -> Result<Step<Attempted<D::Outcome>>, Fault> {
        let Self { context, scope, command } = *self;
        let failed = |error| Fault::new("changing users", error);
        let (change, outcome) = match command.decide(tx.as_mut()).await {
            Ok(Decision::Change(change, outcome)) => (change, outcome),
            done => return Ok(Step::Commit(tx, Attempted::Decided(done.map(Decision::outcome)))),
        };
        let ended = match EndUserSessions::of(scope, &change) {
            Some(ending_sessions) => ending_sessions.end_batch(context, tx.as_mut()).await?,
            None => EndedBatch::default(),
        };
        if ended.more {
            return Ok(Step::Commit(tx, Attempted::Ended(ended.count)));
        }
        apply(context, tx.as_mut(), scope, &change).await?;
        let active = match &change.active {
            Some(user) => mark_active(tx.as_mut(), context, &scope.app, user, context.now()).await.map_err(failed)?,
            None => Marked::NOBODY,
        };
        Ok(Step::Commit(tx, Attempted::Changed(Changed { change, ended: ended.count, active }, outcome)))
    }
}

/// Writes a change and its audit events. Ends no sessions, and marks nobody as active.
pub(super) async fn apply(context: &Context, tx: &mut dyn Tx, scope: &Scope, change: &UserUpdate) -> Result<(), Fault> {
    let written = write(tx, &scope.app.id, change).await;
    written.map_err(|error| Fault::new("changing users", error))?;
    for event in &change.audit {
        audit::note(tx, context, scope, event.clone()).await?;
    }
    Ok(())
}

async fn write(tx: &mut dyn Tx, app: &AppId, change: &UserUpdate) -> Result<(), StoreError> {
    let (before, after): (Vec<_>, Vec<_>) = (change.before.iter().collect(), change.after.iter().collect());
    user::write(tx, app, &before, &after).await?;
    for id in &change.forgotten {
        match &change.only_in {
            Some(tenant) => user_data::remove_in(tx, app, tenant, id).await?,
            None => user_data::remove(tx, app, id).await?,
        }
    }
    user_data::remove_outdated(tx, app, &before, &after).await?;
    let is_there = |method: &LoginMethod| after.iter().any(|user| user.method(&method.id).is_some());
    for method in before.iter().flat_map(|user| &user.methods).filter(|method| !is_there(method)) {
        passwordless::delete_all(tx, app, method, &Contact::all_of(&method.login)).await?;
    }
    for id in &change.inactive {
        activity::remove_user(tx, app, id).await?;
    }
    if let Some((from, to)) = &change.verification_moved {
        user::verified::rename(tx, app, from, to).await?;
    }
    if let Some((from, to)) = &change.activity_moved {
        activity::rename_user(tx, app, from, to).await?;
    }
    Ok(())
}

/// Another primary user has an account info that a user wants to reserve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// That user's id, as callers see it.
    pub primary_user_id: UserId,
    /// The account info.
    pub info: AccountInfo,
}

/// The conflict that prevents a change which takes no other keys than reservations.
pub(super) async fn conflict(
    tx: &mut dyn Tx,
    app: &AppId,
    before: &[&User],
    after: &[&User],
) -> Result<Option<Conflict>, Fault> {
    let failed = |error| Fault::new("looking for conflicts", error);
    match user::taken(tx, app, before, after).await.map_err(failed)? {
        None => Ok(None),
        Some(Taken::Reservation { info, by, .. }) => reserved(tx, app, info, by).await.map(Some),
        Some(Taken::Identity { .. } | Taken::Id { .. }) => {
            Err(Fault::invariant("changing users: a login of theirs is another user's"))
        }
    }
}

/// The conflict with the primary user that has this internal id.
pub(super) async fn reserved(tx: &mut dyn Tx, app: &AppId, info: AccountInfo, by: UserId) -> Result<Conflict, Fault> {
    let holder = user::get(tx, app, &by).await.map_err(|error| Fault::new("looking for conflicts", error))?;
    let primary_user_id = holder.map_or(by, |holder| holder.shown_id().clone());
    Ok(Conflict { primary_user_id, info })
}

/// The ids under which other recipes keep data of these internal ids of a user.
pub(super) async fn data_ids(
    tx: &mut dyn Tx,
    app: &AppId,
    user: &User,
    ids: &BTreeSet<UserId>,
) -> Result<Vec<UserId>, Fault> {
    let mut found = Vec::with_capacity(2 * ids.len());
    for id in ids {
        let of_one = user_data::ids(tx, app, user, id).await;
        found.extend(of_one.map_err(|error| Fault::new("looking up a user's ids", error))?);
    }
    Ok(found)
}

/// A user with what other recipes know about it.
pub(super) async fn info(tx: &mut dyn Tx, app: &AppId, user: User) -> Result<UserInfo, Fault> {
    UserInfo::load(tx, app, user).await.map_err(|error| Fault::new("loading a user", error))
}

/// Finds a user by any of its ids.
pub(super) async fn find(tx: &mut dyn Tx, scope: &Scope, id: &UserId) -> Result<Option<Found>, Fault> {
    user::find(tx, &scope.app.id, id).await.map_err(|error| Fault::new("looking up a user", error))
}
