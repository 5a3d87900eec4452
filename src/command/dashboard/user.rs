//! `POST`, `PUT` and `DELETE /recipe/dashboard/user`, `GET /recipe/dashboard/users`.

use super::{DashboardUser, Named, event, reading, writing};
use crate::command::audit;
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::audit::AuditKind;
use crate::domain::dashboard::{WeakPassword, check_password, is_email};
use crate::domain::entropy::{random_bytes, time_ordered_uuid};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::token_series::SeriesId;
use crate::domain::user::PasswordHash;
use crate::fault::{Fault, Gone};
use crate::state::password::SignInRefused;
use crate::state::password::budgets::SignInRealm;
use crate::store::dashboard::{self, DashboardUserRecord};
use crate::store::{Tx, app as app_row};

/// The outcome of creating or changing a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaveUserOutcome {
    /// The user as it is now, durably.
    Ok(DashboardUser),
    /// The address is not valid.
    InvalidEmail,
    /// The password is too weak.
    Weak(WeakPassword),
    /// Another dashboard user of the app has the address.
    EmailTaken,
    /// There is no such user to change.
    UnknownUser,
}

/// Creates a user.
pub struct CreateUser<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The address; normalised.
    pub email: String,
    /// The password.
    pub password: &'a str,
}

impl CreateUser<'_> {
    /// Creates the user and returns the outcome. Of several concurrent runs with one address, one creates the user.
    ///
    /// # Errors
    /// When the store fails, or too many passwords wait to be hashed.
    pub async fn run(self, context: &Context) -> Result<SaveUserOutcome, SignInRefused> {
        if let Some(refused) = refusal(Some(&self.email), Some(self.password)) {
            return Ok(refused);
        }
        let app_id = &self.scope.app.id;
        // Report an existing user without the cost of a hash.
        let mut tx = context.store.begin();
        if dashboard::user_by_email(tx.as_mut(), app_id, &self.email).await.map_err(reading)?.is_some() {
            return Ok(SaveUserOutcome::EmailTaken);
        }
        drop(tx);
        let time_joined = context.now();
        let user = DashboardUserRecord {
            id: UserId::new(time_ordered_uuid(context.entropy.as_ref(), time_joined).to_string()),
            email: self.email.clone(),
            password: hash(context, &self.scope, self.password).await?,
            time_joined,
            sessions: new_series(context),
        };
        let is_saved =
            transact(context, &self.email, "committing a new dashboard user", |tx| self.attempt(context, tx, &user));
        Ok(if is_saved.await? { SaveUserOutcome::Ok(user.into()) } else { SaveUserOutcome::EmailTaken })
    }

    /// `false`: another user has the address.
    async fn attempt(
        &self,
        context: &Context,
        mut tx: Box<dyn Tx>,
        user: &DashboardUserRecord,
    ) -> Result<Step<bool>, Fault> {
        let app_id = &self.scope.app.id;
        if !app_row::exists(tx.as_mut(), app_id).await.map_err(reading)? {
            let gone = Gone { app: app_id.clone(), tenant: TenantId::public() };
            return Err(Fault::new("creating a dashboard user", gone));
        }
        if !dashboard::save(tx.as_mut(), app_id, None, user).await.map_err(writing)? {
            return Ok(Step::Done(false));
        }
        audit::note(tx.as_mut(), context, &self.scope, event(AuditKind::DashboardUserCreated, user)).await?;
        Ok(Step::Commit(tx, true))
    }
}

/// Changes a user and ends its sessions, even if nothing else changes.
pub struct UpdateUser<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The user to change.
    pub named: Named,
    /// The new address; normalised.
    pub email: Option<String>,
    /// The new password.
    pub password: Option<&'a str>,
}

impl UpdateUser<'_> {
    /// Changes the user and returns the outcome.
    ///
    /// # Errors
    /// When the store fails, or too many passwords wait to be hashed.
    pub async fn run(self, context: &Context) -> Result<SaveUserOutcome, SignInRefused> {
        if let Some(refused) = refusal(self.email.as_deref(), self.password) {
            return Ok(refused);
        }
        // Report an unknown user without the cost of a hash.
        let is_known = transact(context, &self.named, "looking up a dashboard user", |tx| self.is_known(tx));
        if !is_known.await? {
            return Ok(SaveUserOutcome::UnknownUser);
        }
        let password = match self.password {
            Some(password) => Some(hash(context, &self.scope, password).await?),
            None => None,
        };
        let saved = transact(context, &self.named, "committing a changed dashboard user", |tx| {
            self.attempt(context, tx, password.as_ref())
        });
        let saved = saved.await?;
        if let (SaveUserOutcome::Ok(user), Some(_)) = (&saved, &password) {
            context.budgets.forget(&self.scope.app, SignInRealm::Dashboard, &user.email);
        }
        Ok(saved)
    }

    async fn is_known(&self, mut tx: Box<dyn Tx>) -> Result<Step<bool>, Fault> {
        let is_known = self.named.find(tx.as_mut(), &self.scope.app.id).await?.is_some();
        Ok(Step::Commit(tx, is_known))
    }

    async fn attempt(
        &self,
        context: &Context,
        mut tx: Box<dyn Tx>,
        password: Option<&PasswordHash>,
    ) -> Result<Step<SaveUserOutcome>, Fault> {
        let app_id = &self.scope.app.id;
        let Some(before) = self.named.find(tx.as_mut(), app_id).await? else {
            return Ok(Step::Commit(tx, SaveUserOutcome::UnknownUser));
        };
        let mut after = DashboardUserRecord { sessions: new_series(context), ..before.clone() };
        after.email = self.email.clone().unwrap_or(after.email);
        after.password = password.cloned().unwrap_or(after.password);
        if !dashboard::save(tx.as_mut(), app_id, Some(&before), &after).await.map_err(writing)? {
            // The address is another user's only if this user is still as it was read.
            return Ok(Step::Commit(tx, SaveUserOutcome::EmailTaken));
        }
        let detail = match (&self.email, password) {
            (Some(_), Some(_)) => "e-mail address and password",
            (Some(_), None) => "e-mail address",
            (None, Some(_)) => "password",
            (None, None) => "nothing",
        };
        let changed = event(AuditKind::DashboardUserChanged, &after).detail(detail);
        audit::note(tx.as_mut(), context, &self.scope, changed).await?;
        Ok(Step::Commit(tx, SaveUserOutcome::Ok(after.into())))
    }
}

/// Deletes a user and ends its sessions.
pub struct DeleteUser {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The user to delete.
    pub named: Named,
}

impl DeleteUser {
    /// Deletes the user; `false` when there is no such user.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<bool, Fault> {
        transact(context, &self.named, "committing the removal of a dashboard user", |tx| self.attempt(context, tx))
            .await
    }

    async fn attempt(&self, context: &Context, mut tx: Box<dyn Tx>) -> Result<Step<bool>, Fault> {
        let app_id = &self.scope.app.id;
        let Some(user) = self.named.find(tx.as_mut(), app_id).await? else { return Ok(Step::Commit(tx, false)) };
        dashboard::remove(tx.as_mut(), app_id, &user);
        audit::note(tx.as_mut(), context, &self.scope, event(AuditKind::DashboardUserRemoved, &user)).await?;
        Ok(Step::Commit(tx, true))
    }
}

/// Lists all users.
pub struct ListUsers {
    /// The app, and what led to the command.
    pub scope: Scope,
}

impl ListUsers {
    /// Returns the users, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Vec<DashboardUser>, Fault> {
        let users = dashboard::users(context.store.begin().as_mut(), &self.scope.app.id).await.map_err(reading)?;
        Ok(users.into_iter().map(DashboardUser::from).collect())
    }
}

/// What is wrong with an address or a password, the address first.
fn refusal(email: Option<&str>, password: Option<&str>) -> Option<SaveUserOutcome> {
    if email.is_some_and(|email| !is_email(email)) {
        return Some(SaveUserOutcome::InvalidEmail);
    }
    password.and_then(|password| check_password(password).err()).map(SaveUserOutcome::Weak)
}

async fn hash(context: &Context, scope: &Scope, password: &str) -> Result<PasswordHash, SignInRefused> {
    let parameters = scope.app.config.password_hashing;
    Ok(PasswordHash::new(context.hashing.hash(password, parameters, context.entropy.as_ref()).await?))
}

fn new_series(context: &Context) -> SeriesId {
    SeriesId(u64::from_le_bytes(random_bytes(context.entropy.as_ref())))
}
