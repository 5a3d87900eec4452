//! Changes of users: decide on what the store holds, write, and end the sessions that end with it.

use super::UserInfo;
use crate::command::activity::{Marked, mark_active};
use crate::command::audit;
use crate::command::scope::Scope;
use crate::command::session::revoke::{SignOut, SomeEnded};
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

/// Users before and after, and what goes with them.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// As the transaction read them.
    pub(super) before: Vec<User>,
    /// As they are to be.
    pub(super) after: Vec<User>,
    /// Whose sessions end, ids as sessions have them, and why.
    pub(super) signed_out: Option<(UserChange, Vec<UserId>)>,
    /// Whose data in other recipes goes: ids as those recipes have them.
    pub(super) forgotten: Vec<UserId>,
    /// Of those sessions and data only what is of this tenant; `None` for all of the app.
    pub(super) only_in: Option<TenantId>,
    /// Whose verified addresses get another id: from, to.
    pub(super) verification_moved: Option<(UserId, UserId)>,
    /// Whose mark of activity gets another id: from, to.
    pub(super) activity_moved: Option<(UserId, UserId)>,
    /// Whose mark of activity goes: ids as callers see them.
    pub(super) inactive: Vec<UserId>,
    /// Who is active now: an id as callers see it.
    pub(super) active: Option<UserId>,
    /// What the audit log tells of it.
    pub(super) audit: Vec<AuditEvent>,
}

impl Change {
    /// Whose marks of activity go or move: ids as callers see them.
    fn unmarked(&self) -> impl Iterator<Item = &UserId> {
        let forgotten = self.forgotten.iter().filter(|_| self.only_in.is_none());
        let moved = self.activity_moved.iter().flat_map(|(from, to)| [from, to]);
        forgotten.chain(&self.inactive).chain(moved)
    }
}

/// What a command comes to.
pub(super) enum Decision<T> {
    /// Nothing to write.
    Done(T),
    /// The outcome holds once the change is written.
    Change(Box<Change>, T),
}

impl<'a> SignOut<'a> {
    /// The sessions that end with a change.
    fn of(scope: &'a Scope, change: &Change) -> Option<Self> {
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

/// A command that changes users: the part that runs anew when something it has read has changed.
#[async_trait]
pub(super) trait Decide: Sync {
    /// How the command can end.
    type Outcome: Send;

    /// Loads and decides.
    async fn decide(&self, tx: &mut dyn Tx) -> Result<Decision<Self::Outcome>, Fault>;
}

/// Decides without writing: what would happen, as of one moment.
pub(super) async fn check<D: Decide>(app: &Context, about: &UserId, command: &D) -> Result<D::Outcome, Fault> {
    transact(app, about, "looking users up", |mut tx| async move {
        let decision = command.decide(tx.as_mut()).await;
        Ok(Step::Commit(tx, decision))
    })
    .await?
    .map(Decision::outcome)
}

/// Decides and writes.
///
/// Sessions end in the transaction that changes the users. Of more sessions than one transaction should end, as many as
/// it takes go before, each time after another look at whether the change is still to happen.
pub(super) async fn run<D: Decide>(
    app: &Context,
    scope: &Scope,
    about: &UserId,
    command: &D,
) -> Result<D::Outcome, Fault> {
    loop {
        let attempt = Attempt { app, scope, command };
        let attempted = transact(app, about, "committing a change of users", |tx| attempt.run(tx)).await?;
        match attempted {
            Attempted::Decided(outcome) => return outcome,
            Attempted::Ended(count) => {
                app.metrics.sessions.revoked.inc_by(count);
            }
            Attempted::Changed(changed, outcome) => {
                app.metrics.sessions.revoked.inc_by(changed.ended);
                changed.change.unmarked().for_each(|id| app.activity.forget(&scope.app, id));
                changed.active.committed();
                if let Some(sign_out) = SignOut::of(scope, &changed.change) {
                    sign_out.rest(app).await?;
                }
                return Ok(outcome);
            }
        }
    }
}

/// What a transaction comes to once it is committed.
enum Attempted<T> {
    /// Nothing was to be written. Who saw a change by half may find an invariant broken, too.
    Decided(Result<T, Fault>),
    /// So many sessions have ended, and there are more.
    Ended(u64),
    /// The change is written.
    Changed(Changed, T),
}

/// A change that is written.
struct Changed {
    change: Box<Change>,
    /// Sessions that ended with it.
    ended: u64,
    active: Marked,
}

struct Attempt<'a, D> {
    app: &'a Context,
    scope: &'a Scope,
    command: &'a D,
}

impl<D: Decide> Attempt<'_, D> {
    async fn run(&self, mut tx: Box<dyn Tx>) -> Result<Step<Attempted<D::Outcome>>, Fault> {
        let Self { app, scope, command } = *self;
        let failed = |error| Fault::new("changing users", error);
        let (change, outcome) = match command.decide(tx.as_mut()).await {
            Ok(Decision::Change(change, outcome)) => (change, outcome),
            done => return Ok(Step::Commit(tx, Attempted::Decided(done.map(Decision::outcome)))),
        };
        let ended = match SignOut::of(scope, &change) {
            Some(sign_out) => sign_out.some(app, tx.as_mut()).await?,
            None => SomeEnded::default(),
        };
        if ended.more {
            return Ok(Step::Commit(tx, Attempted::Ended(ended.count)));
        }
        write(tx.as_mut(), &scope.app.id, &change).await.map_err(failed)?;
        for event in &change.audit {
            audit::note(tx.as_mut(), app, scope, event.clone())?;
        }
        let active = match &change.active {
            Some(user) => mark_active(tx.as_mut(), app, &scope.app, user, app.now()).await.map_err(failed)?,
            None => Marked::NOBODY,
        };
        Ok(Step::Commit(tx, Attempted::Changed(Changed { change, ended: ended.count, active }, outcome)))
    }
}

async fn write(tx: &mut dyn Tx, app: &AppId, change: &Change) -> Result<(), StoreError> {
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

/// Another primary user has an account info that a user is to reserve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// That user's id, as callers see it.
    pub primary_user_id: UserId,
    /// What it has.
    pub info: AccountInfo,
}

/// The conflict that stands against a change which takes no other keys than reservations.
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
            Err(Fault::invariant("changing users: a login that they have is somebody else's"))
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
        found.extend(of_one.map_err(|error| Fault::new("looking a user's ids up", error))?);
    }
    Ok(found)
}

/// A user with what other recipes know about it.
pub(super) async fn info(tx: &mut dyn Tx, app: &AppId, user: User) -> Result<UserInfo, Fault> {
    UserInfo::load(tx, app, user).await.map_err(|error| Fault::new("loading a user", error))
}

/// Finds a user by any of its ids.
pub(super) async fn find(tx: &mut dyn Tx, scope: &Scope, id: &UserId) -> Result<Option<Found>, Fault> {
    user::find(tx, &scope.app.id, id).await.map_err(|error| Fault::new("looking a user up", error))
}
