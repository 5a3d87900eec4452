//! The owner of a session: the login method whose id its row holds, and the user that it currently belongs to.

use crate::command::transact::{Step, transact};
use crate::command::user::Person;
use crate::context::Context;
use crate::domain::hook::{HookEvent, HookEventKind};
use crate::domain::ids::{AppId, SessionHandle, UserId};
use crate::domain::session::client::SessionClients;
use crate::fault::Fault;
use crate::store::user::{self, Found};
use crate::store::{Tx, user_data};
use std::collections::BTreeSet;

/// The ids of a session's owner, as callers see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SessionOwner {
    /// The id of the current primary user.
    pub(super) user_id: UserId,
    /// The id of the login method.
    pub(super) recipe_user_id: UserId,
}

impl SessionOwner {
    /// Finds the owner of a new session by an id, internal or mapped. An id that belongs to no user is taken as it is.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn of_id(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<Self, Fault> {
        Ok(match find(tx, app, id).await? {
            Some(Found { user, id }) => {
                Self { user_id: user.shown_id().clone(), recipe_user_id: user.shown(&id).clone() }
            }
            None => Self { user_id: id.clone(), recipe_user_id: id.clone() },
        })
    }

    /// The owner of a new session of a person who has just signed up or in.
    pub(super) fn of_person(person: &Person) -> Self {
        let user = &person.info.user;
        Self { user_id: user.shown_id().clone(), recipe_user_id: user.shown(&person.recipe_user_id).clone() }
    }

    /// What hooks are told of a session of this owner, and of its clients.
    pub(super) const fn event<'a>(
        &'a self,
        kind: HookEventKind,
        (session, clients): (&'a SessionHandle, Option<&'a SessionClients>),
    ) -> HookEvent<'a> {
        HookEvent {
            tenant: Some(&session.tenant),
            user: Some(&self.user_id),
            recipe_user: Some(&self.recipe_user_id),
            session: Some(session),
            clients,
            ..HookEvent::of(kind)
        }
    }

    /// Finds the owner of an existing session, by the id in its row.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn of_row(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<Self, Fault> {
        let found = find(tx, app, id).await?;
        let user_id = found.map_or_else(|| id.clone(), |found| found.user.shown_id().clone());
        Ok(Self { user_id, recipe_user_id: id.clone() })
    }
}

/// The users whose sessions an id selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SessionOwners {
    /// The user, as callers see it.
    pub(super) user_id: UserId,
    /// Every id that its sessions may have in their rows.
    pub(super) ids: BTreeSet<UserId>,
}

impl SessionOwners {
    /// Finds those of one login method, in whatever form its id is given; with `linked`, of all that are linked to it.
    ///
    /// Reads as of one moment: no session of a user that is being linked may be overlooked.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn find(context: &Context, id: &AppId, user: &UserId, linked: bool) -> Result<Self, Fault> {
        transact(context, user, "looking up a session's user", |mut tx| async move {
            let owners = Self::of_id(tx.as_mut(), id, user, linked).await?;
            Ok(Step::Commit(tx, owners))
        })
        .await
    }

    async fn of_id(tx: &mut dyn Tx, app: &AppId, id: &UserId, linked: bool) -> Result<Self, Fault> {
        let mut ids = BTreeSet::from([id.clone()]);
        let Some(Found { user, id: internal }) = find(tx, app, id).await? else {
            return Ok(Self { user_id: id.clone(), ids });
        };
        let meant = if linked {
            user.methods.iter().map(|method| &method.id).chain([&user.id]).cloned().collect()
        } else {
            BTreeSet::from([internal])
        };
        for id in &meant {
            let of_one = user_data::ids(tx, app, &user, id).await;
            ids.extend(of_one.map_err(|error| Fault::new("looking up a user's ids", error))?);
        }
        Ok(Self { user_id: user.shown_id().clone(), ids })
    }
}

async fn find(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<Option<Found>, Fault> {
    user::find(tx, app, id).await.map_err(|error| Fault::new("looking up a session's user", error))
}
