//! Account linking (CDI: account linking). Every id may be internal or mapped.

use super::UserInfo;
use super::change::{self, Conflict, Decide, Decision, UserUpdate};
use super::delete::gone;
use crate::command::scope::Scope;
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::UserId;
use crate::domain::session::event::UserChange;
use crate::domain::user::linking::{self, MakePrimaryOutcome};
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::user::Found;
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::iter;

/// `POST /recipe/accountlinking/user/primary`: lets other login methods be linked to this one.
pub struct MakePrimary {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The login method.
    pub id: UserId,
}

/// The outcome of making a user primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MakePrimaryUserOutcome {
    /// No user has this id.
    UnknownUser,
    /// It is now a primary user.
    Ok {
        /// Whether it was one before.
        already: bool,
        /// The user.
        user: UserInfo,
    },
    /// Another primary user has one of its account infos.
    AccountInfoTaken(Conflict),
    /// It is linked to another id.
    Linked {
        /// The id of that primary user, as callers see it.
        primary_user_id: UserId,
    },
}

impl MakePrimary {
    /// Makes the user primary and returns the outcome.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<MakePrimaryUserOutcome, Fault> {
        change::run(context, &self.scope, &self.id, &self).await
    }

    /// The outcome that the command would have now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn check(self, context: &Context) -> Result<MakePrimaryUserOutcome, Fault> {
        change::check(context, &self.id, &self).await
    }

    /// Adds this to a transaction that does more with the user.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::command) async fn add(
        &self,
        context: &Context,
        tx: &mut dyn Tx,
    ) -> Result<MakePrimaryUserOutcome, Fault> {
        match self.decide(tx).await? {
            Decision::Done(outcome) => Ok(outcome),
            Decision::Change(change, outcome) => {
                // No session ends with it.
                change::apply(context, tx, &self.scope, &change).await?;
                Ok(outcome)
            }
        }
    }
}

#[async_trait]
impl Decide for MakePrimary {
    type Outcome = MakePrimaryUserOutcome;

    async fn decide(&self, tx: &mut dyn Tx) -> Result<Decision<MakePrimaryUserOutcome>, Fault> {
        let app = &self.scope.app.id;
        let Some(Found { user, id }) = change::find(tx, &self.scope, &self.id).await? else {
            return Ok(Decision::Done(MakePrimaryUserOutcome::UnknownUser));
        };
        let primary = match linking::make_primary(&user, &id) {
            MakePrimaryOutcome::Now(primary) => *primary,
            MakePrimaryOutcome::Already => {
                let user = change::info(tx, app, user).await?;
                return Ok(Decision::Done(MakePrimaryUserOutcome::Ok { already: true, user }));
            }
            MakePrimaryOutcome::Linked => {
                let primary_user_id = user.shown_id().clone();
                return Ok(Decision::Done(MakePrimaryUserOutcome::Linked { primary_user_id }));
            }
        };
        if let Some(conflict) = change::conflict(tx, app, &[&user], &[&primary]).await? {
            return Ok(Decision::Done(MakePrimaryUserOutcome::AccountInfoTaken(conflict)));
        }
        let shown = change::info(tx, app, primary.clone()).await?;
        let audit = vec![AuditEvent::of(AuditKind::MadePrimary).user(primary.shown_id())];
        let change = UserUpdate { before: vec![user], after: vec![primary], audit, ..UserUpdate::default() };
        Ok(Decision::Change(Box::new(change), MakePrimaryUserOutcome::Ok { already: false, user: shown }))
    }
}

/// `POST /recipe/accountlinking/user/link`: makes a login method part of a primary user. Its sessions end.
pub struct LinkAccounts {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The login method.
    pub recipe_user_id: UserId,
    /// Any id of the primary user.
    pub primary_user_id: UserId,
}

/// The outcome of linking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountsLinked {
    /// No user has one of the ids.
    UnknownUser,
    /// Both ids now belong to one user.
    Ok {
        /// Whether they were before.
        already: bool,
        /// The user.
        user: UserInfo,
    },
    /// Another primary user has an account info of one of the two.
    AccountInfoTaken(Conflict),
    /// The login method belongs to this primary user.
    Elsewhere {
        /// The primary user.
        user: UserInfo,
    },
    /// The second id does not belong to a primary user.
    NotPrimary,
}

impl LinkAccounts {
    /// Links the login method and returns the outcome.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<AccountsLinked, Fault> {
        change::run(context, &self.scope, &self.recipe_user_id, &self).await
    }

    /// The outcome that the command would have now.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn check(self, context: &Context) -> Result<AccountsLinked, Fault> {
        change::check(context, &self.recipe_user_id, &self).await
    }
}

#[async_trait]
impl Decide for LinkAccounts {
    type Outcome = AccountsLinked;

    async fn decide(&self, tx: &mut dyn Tx) -> Result<Decision<AccountsLinked>, Fault> {
        let app = &self.scope.app.id;
        let recipe = change::find(tx, &self.scope, &self.recipe_user_id).await?;
        let primary = change::find(tx, &self.scope, &self.primary_user_id).await?;
        let (Some(Found { user: recipe, id }), Some(Found { user: primary, .. })) = (recipe, primary) else {
            return Ok(Decision::Done(AccountsLinked::UnknownUser));
        };
        let group = match linking::link(&recipe, &primary) {
            linking::Linked::Now(group) => *group,
            linking::Linked::NotPrimary => return Ok(Decision::Done(AccountsLinked::NotPrimary)),
            linking::Linked::Already => {
                let user = change::info(tx, app, primary).await?;
                return Ok(Decision::Done(AccountsLinked::Ok { already: true, user }));
            }
            linking::Linked::Elsewhere => {
                let user = change::info(tx, app, recipe).await?;
                return Ok(Decision::Done(AccountsLinked::Elsewhere { user }));
            }
        };
        if let Some(conflict) = change::conflict(tx, app, &[&recipe, &primary], &[&group]).await? {
            return Ok(Decision::Done(AccountsLinked::AccountInfoTaken(conflict)));
        }
        let user = change::info(tx, app, group.clone()).await?;
        let audit = vec![AuditEvent::of(AuditKind::Linked).user(group.shown_id()).recipe_user(group.shown(&id))];
        let signed_out = change::data_ids(tx, app, &recipe, &BTreeSet::from([id])).await?;
        let inactive = signed_out.clone();
        let signed_out = Some((UserChange::Linking, signed_out));
        let active = Some(group.shown_id().clone());
        let (before, after) = (vec![recipe, primary], vec![group]);
        let change = UserUpdate { before, after, signed_out, inactive, active, audit, ..UserUpdate::default() };
        Ok(Decision::Change(Box::new(change), AccountsLinked::Ok { already: false, user }))
    }
}

/// `POST /recipe/accountlinking/user/unlink`: removes a login method from its group. Its sessions end.
pub struct UnlinkAccount {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The login method.
    pub id: UserId,
}

/// The outcome of unlinking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountUnlinked {
    /// No user has this id.
    UnknownUser,
    /// It is no longer in a group.
    Ok {
        /// Whether the login method was deleted, because others keep using its id.
        deleted: bool,
        /// Whether it was in a group.
        was_linked: bool,
    },
}

impl UnlinkAccount {
    /// Unlinks the login method and returns the outcome.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<AccountUnlinked, Fault> {
        change::run(context, &self.scope, &self.id, &self).await
    }
}

#[async_trait]
impl Decide for UnlinkAccount {
    type Outcome = AccountUnlinked;

    async fn decide(&self, tx: &mut dyn Tx) -> Result<Decision<AccountUnlinked>, Fault> {
        let Some(Found { user, id }) = change::find(tx, &self.scope, &self.id).await? else {
            return Ok(Decision::Done(AccountUnlinked::UnknownUser));
        };
        match linking::unlink(&user, &id) {
            linking::Unlinked::NotLinked => {
                Ok(Decision::Done(AccountUnlinked::Ok { deleted: false, was_linked: false }))
            }
            linking::Unlinked::Now { after, deleted, signed_out } => {
                let signed_out = change::data_ids(tx, &self.scope.app.id, &user, &signed_out).await?;
                let signed_out = Some((UserChange::Unlinking, signed_out));
                let outcome = AccountUnlinked::Ok { deleted: deleted.is_some(), was_linked: true };
                let unlinked = AuditEvent::of(AuditKind::Unlinked).user(user.shown_id()).recipe_user(user.shown(&id));
                let audit = iter::once(unlinked).chain(deleted.iter().map(|method| gone(&user, method))).collect();
                let change = UserUpdate { before: vec![user], after, signed_out, audit, ..UserUpdate::default() };
                Ok(Decision::Change(Box::new(change), outcome))
            }
        }
    }
}
