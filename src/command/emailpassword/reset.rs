//! Password-reset tokens: created, used up, and (before CDI 4.0) exchanged for a new password in one call.

use super::{forget_failures, reading, writing};
use crate::command::audit;
use crate::command::outbox::TokenMail;
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::entropy::random_bytes;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::one_time_token::{self, OneTimeHash};
use crate::domain::secret::Secret;
use crate::domain::token_series::{Presented, Series, SeriesId, judge};
use crate::domain::user::reset_links::login_opened;
use crate::domain::user::{Login, LoginMethod, PasswordHash, RecipeId, User};
use crate::fault::{Fault, Gone};
use crate::state::password::SignInRefused;
use crate::store::passwordreset::{self, ResetTokenRecord};
use crate::store::user::{self, Found};
use crate::store::{Tx, app as app_row};

/// Creates a token; the newest [`MAX_VALID`](crate::domain::token_series::MAX_VALID) are valid at once.
pub struct CreateResetToken<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// Any id of the person: internal or mapped, of the group or of a login method.
    pub id: UserId,
    /// The address as given; `None` before CDI 4.0, when a person was one login method with a password.
    pub email: Option<&'a str>,
    /// How long the token is valid, in ms.
    pub lifetime_ms: u64,
    /// The mail that brings the token to its owner; without one, the caller does.
    pub mail: Option<TokenMail>,
}

/// The outcome of creating a token.
pub enum ResetTokenCreated {
    /// The token, to be sent to the address.
    Ok(Secret<String>),
    /// No user has this id; or, without an address, the user does not sign in with a password.
    UnknownUser,
    /// Without an address: the person has several login methods.
    Linked,
}

impl CreateResetToken<'_> {
    /// Creates the token and returns the outcome.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<ResetTokenCreated, Fault> {
        let token = one_time_token::mint(context.entropy.as_ref());
        let hash = OneTimeHash::of(token.expose());
        let new_series = SeriesId(u64::from_le_bytes(random_bytes(context.entropy.as_ref())));
        let made = transact(context, &self.id, "committing a password-reset token", |tx| {
            self.attempt(context, tx, (&token, &hash), new_series)
        });
        if let Err(refused) = made.await? {
            return Ok(refused);
        }
        if self.mail.is_some() {
            context.outbox.notify();
        }
        Ok(ResetTokenCreated::Ok(token))
    }

    async fn attempt(
        &self,
        context: &Context,
        mut tx: Box<dyn Tx>,
        (token, hash): (&Secret<String>, &OneTimeHash),
        new_series: SeriesId,
    ) -> Result<Step<Result<(), ResetTokenCreated>>, Fault> {
        let app_id = &self.scope.app.id;
        if !app_row::exists(tx.as_mut(), app_id).await.map_err(reading)? {
            let gone = Gone { app: app_id.clone(), tenant: TenantId::public() };
            return Err(Fault::new("creating a password-reset token", gone));
        }
        let (Found { user, id }, email) = match self.addressee(tx.as_mut()).await? {
            Ok(addressee) => addressee,
            Err(refused) => return Ok(Step::Commit(tx, Err(refused))),
        };
        let expires = context.now().plus(self.lifetime_ms);
        let series = passwordreset::series(tx.as_mut(), app_id, &id).await.map_err(reading)?;
        let series = series.unwrap_or(Series::new(new_series));
        let event = event(AuditKind::PasswordResetRequested, &user, &id, &email);
        audit::note(tx.as_mut(), context, &self.scope, event).await?;
        let tokens = passwordreset::tokens_of(app_id, &id);
        let record = ResetTokenRecord::new(id, email, expires, series.id);
        tokens.add(tx.as_mut(), hash, series, &record).map_err(writing)?;
        if let Some(mail) = &self.mail {
            mail.add(context, tx.as_mut(), token.expose(), self.lifetime_ms, expires).await?;
        }
        Ok(Step::Commit(tx, Ok(())))
    }

    /// The person and the address that the token is for; or why there is none.
    async fn addressee(&self, tx: &mut dyn Tx) -> Result<Result<(Found, String), ResetTokenCreated>, Fault> {
        let Some(found) = user::find(tx, &self.scope.app.id, &self.id).await.map_err(reading)? else {
            return Ok(Err(ResetTokenCreated::UnknownUser));
        };
        Ok(match (self.email, found.user.methods.as_slice()) {
            (Some(email), _) => Ok((found, email.to_owned())),
            (None, [LoginMethod { login: Login::EmailPassword { email, .. }, .. }]) => {
                let email = email.clone();
                Ok((found, email))
            }
            (None, [_, _, ..]) => Err(ResetTokenCreated::Linked),
            (None, _) => Err(ResetTokenCreated::UnknownUser),
        })
    }
}

/// Uses up a token.
pub struct ConsumeResetToken<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The token as presented.
    pub token: &'a str,
}

/// The outcome of using a token.
pub enum Consumed {
    /// The token was valid; every other token of the person is used up with it.
    Ok {
        /// The id that the token was created for, as callers see it.
        user_id: UserId,
        /// The address that the token was created for.
        email: String,
    },
    /// Unknown, used or expired. An expired token uses up the others too.
    InvalidToken,
}

impl ConsumeResetToken<'_> {
    /// Uses up the token and returns the outcome. Of several concurrent runs with tokens of one person, one succeeds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Consumed, Fault> {
        let hash = OneTimeHash::of(self.token);
        let used =
            transact(context, &hash, "committing a used password-reset token", |tx| self.attempt(context, tx, &hash));
        let Some((Found { user, id }, email)) = used.await? else { return Ok(Consumed::InvalidToken) };
        user.methods.iter().for_each(|method| forget_failures(context, &self.scope, method));
        Ok(Consumed::Ok { user_id: user.shown(&id).clone(), email })
    }

    /// The person and the address, if the token is valid.
    async fn attempt(
        &self,
        context: &Context,
        mut tx: Box<dyn Tx>,
        hash: &OneTimeHash,
    ) -> Result<Step<Option<(Found, String)>>, Fault> {
        let app_id = &self.scope.app.id;
        let Some((token, presented)) = judged(context, tx.as_mut(), &self.scope, hash).await? else {
            return Ok(Step::Commit(tx, None));
        };
        passwordreset::end(tx.as_mut(), app_id, &token.user_id).await.map_err(writing)?;
        let found = user::find_internal(tx.as_mut(), app_id, &token.user_id).await.map_err(reading)?;
        let good = found.filter(|_| presented == Presented::Good).map(|found| (found, token.email));
        Ok(Step::Commit(tx, good))
    }
}

/// Uses up a token and sets the password (before CDI 4.0).
pub struct ResetPassword<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The token as presented.
    pub token: &'a str,
    /// The new password.
    pub new_password: &'a str,
}

impl ResetPassword<'_> {
    /// Sets the password and returns the outcome.
    ///
    /// # Errors
    /// When the store fails, or too many passwords wait to be hashed.
    pub async fn run(self, context: &Context) -> Result<Consumed, SignInRefused> {
        let hash = OneTimeHash::of(self.token);
        // Report an invalid token without the cost of a hash.
        let is_bad = transact(context, &hash, "judging a password-reset token", |tx| self.is_bad(context, tx, &hash));
        if is_bad.await? {
            return Ok(Consumed::InvalidToken);
        }
        let parameters = self.scope.app.config.password_hashing;
        let new =
            PasswordHash::new(context.hashing.hash(self.new_password, parameters, context.entropy.as_ref()).await?);
        let changed =
            transact(context, &hash, "committing a reset password", |tx| self.attempt(context, tx, &hash, &new));
        let Some((user, id, email)) = changed.await? else { return Ok(Consumed::InvalidToken) };
        user.methods.iter().for_each(|method| forget_failures(context, &self.scope, method));
        Ok(Consumed::Ok { user_id: user.shown(&id).clone(), email })
    }

    async fn is_bad(&self, context: &Context, mut tx: Box<dyn Tx>, hash: &OneTimeHash) -> Result<Step<bool>, Fault> {
        let is_bad = judged(context, tx.as_mut(), &self.scope, hash).await?.is_none();
        Ok(Step::Commit(tx, is_bad))
    }

    /// The person, the login method that got the password, and the token's address; `None` for an invalid token.
    async fn attempt(
        &self,
        context: &Context,
        mut tx: Box<dyn Tx>,
        hash: &OneTimeHash,
        new: &PasswordHash,
    ) -> Result<Step<Option<(User, UserId, String)>>, Fault> {
        let app_id = &self.scope.app.id;
        let Some((token, presented)) = judged(context, tx.as_mut(), &self.scope, hash).await? else {
            return Ok(Step::Commit(tx, None));
        };
        passwordreset::end(tx.as_mut(), app_id, &token.user_id).await.map_err(writing)?;
        let found = user::find_internal(tx.as_mut(), app_id, &token.user_id).await.map_err(reading)?;
        let good = found.filter(|_| presented == Presented::Good);
        let Some((before, after, id)) = good.and_then(|found| with_hash(found, &token, new)) else {
            return Ok(Step::Commit(tx, None));
        };
        user::write(tx.as_mut(), app_id, &[&before], &[&after]).await.map_err(writing)?;
        // The login may not be the one that the token was created for; links that were sent for it end as well.
        passwordreset::end_for_login(tx.as_mut(), app_id, &after, &id).await.map_err(writing)?;
        let event = event(AuditKind::PasswordChanged, &after, &id, &token.email).detail("reset token");
        audit::note(tx.as_mut(), context, &self.scope, event).await?;
        Ok(Step::Commit(tx, Some((after, id, token.email))))
    }
}

/// The token and its validity; `None` when there is nothing to use up.
async fn judged(
    context: &Context,
    tx: &mut dyn Tx,
    scope: &Scope,
    hash: &OneTimeHash,
) -> Result<Option<(ResetTokenRecord, Presented)>, Fault> {
    let app_id = &scope.app.id;
    let Some(token) = passwordreset::token(tx, app_id, hash).await.map_err(reading)? else { return Ok(None) };
    let series = passwordreset::series(tx, app_id, &token.user_id).await.map_err(reading)?;
    let presented = judge(token.series, token.expires, series.map(|series| series.id), context.now());
    Ok(Some((token, presented)).filter(|(_, presented)| *presented != Presented::Dead))
}

/// The person before and after, and the id of the login method that got the new password: the one with the token's
/// address, else the one for which the token was created.
fn with_hash(found: Found, token: &ResetTokenRecord, new: &PasswordHash) -> Option<(User, User, UserId)> {
    let Found { user: before, id } = found;
    let target = login_opened(&before, &id, &token.email)?.id.clone();
    let mut after = before.clone();
    after.set_password(&target, new);
    Some((before, after, target))
}

/// An audit event about a person and one of its ids.
fn event(kind: AuditKind, user: &User, id: &UserId, email: &str) -> AuditEvent {
    let event = AuditEvent::of(kind).user(user.shown_id()).recipe_user(user.shown(id));
    event.recipe(RecipeId::EmailPassword).login(email)
}
