//! Whose a session is: the login method whose id its row holds, and the user that this is part of at the moment.

use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::ids::{AppId, UserId};
use crate::fault::Fault;
use crate::store::user::{self, Found};
use crate::store::{Tx, user_data};
use std::collections::BTreeSet;

/// Ids as callers see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    /// The current primary user.
    pub(super) user_id: UserId,
    /// The login method.
    pub(super) recipe_user_id: UserId,
}

impl Holder {
    /// For a new session of whoever has this id, internal or mapped. An id of nobody is taken as it is.
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

    /// For a session that has a row, with the id that stands there.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn of_row(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<Self, Fault> {
        let found = find(tx, app, id).await?;
        let user_id = found.map_or_else(|| id.clone(), |found| found.user.shown_id().clone());
        Ok(Self { user_id, recipe_user_id: id.clone() })
    }
}

/// Whose sessions are meant by an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holders {
    /// The user, as callers see it.
    pub(super) user_id: UserId,
    /// Every id under which its sessions may stand.
    pub(super) ids: BTreeSet<UserId>,
}

impl Holders {
    /// Those of one login method, in whatever form its id is given; with `linked`, of all that are linked to it.
    ///
    /// As of one moment: of somebody who is being linked no session may be overlooked.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn look(app: &Context, id: &AppId, user: &UserId, linked: bool) -> Result<Self, Fault> {
        transact(app, user, "looking a session's user up", |mut tx| async move {
            let holders = Self::of_id(tx.as_mut(), id, user, linked).await?;
            Ok(Step::Commit(tx, holders))
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
            ids.extend(of_one.map_err(|error| Fault::new("looking a user's ids up", error))?);
        }
        Ok(Self { user_id: user.shown_id().clone(), ids })
    }
}

async fn find(tx: &mut dyn Tx, app: &AppId, id: &UserId) -> Result<Option<Found>, Fault> {
    user::find(tx, app, id).await.map_err(|error| Fault::new("looking a session's user up", error))
}
