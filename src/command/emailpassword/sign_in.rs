//! `POST /recipe/signin`.

use super::{Account, Person, hash_of, writing};
use crate::command::activity::mark_active;
use crate::command::audit;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::crypto::password::Check;
use crate::domain::audit::AuditKind;
use crate::domain::user::PasswordHash;
use crate::fault::Fault;
use crate::metrics::SignInOutcome;
use crate::state::password::Unserved;
use crate::state::password::budgets::{Door, Who};
use crate::store::user::{self, Found};

/// Signs a person in.
pub struct SignIn<'a> {
    /// Which account.
    pub account: Account,
    /// The password as presented.
    pub password: &'a str,
}

/// How it ended.
pub enum SignedIn {
    /// The password is right.
    Ok(Box<Person>),
    /// Unknown address or wrong password; which of them takes no look at the clock to find out.
    WrongCredentials,
}

impl SignIn<'_> {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store fails, too many passwords wait to be hashed, or too many sign-ins have failed.
    pub async fn run(self, app: &Context) -> Result<SignedIn, Unserved> {
        let outcome = self.attempt(app).await;
        let figure = match &outcome {
            Ok(SignedIn::Ok(_)) => Some(SignInOutcome::Ok),
            Ok(SignedIn::WrongCredentials) => Some(SignInOutcome::WrongCredentials),
            Err(Unserved::TooManyFailures { .. }) => Some(SignInOutcome::Delayed),
            Err(Unserved::Busy { .. }) => Some(SignInOutcome::Busy),
            Err(Unserved::NoSignerKey | Unserved::Fault(_)) => None,
        };
        if let Some(figure) = figure {
            app.metrics.sign_ins.ended(figure);
        }
        if let Err(unserved) = &outcome {
            self.note_unserved(app, unserved).await?;
        }
        outcome
    }

    async fn attempt(&self, app: &Context) -> Result<SignedIn, Unserved> {
        let Account { scope, tenant, email } = &self.account;
        let who = Who { app: &scope.app, door: Door::Tenant(tenant), email, address: scope.cause.client };
        let attempt = app.budgets.begin(who, app.steady())?;
        loop {
            let stored = self.stored(app).await?;
            let text = stored.as_ref().map(PasswordHash::expose);
            let check = app.hashing.check(text, self.password, &scope.app.config).await?;
            let Some(stored) = stored.filter(|_| check != Check::Wrong) else {
                attempt.failed();
                self.note_refusal(app, None).await?;
                return Ok(SignedIn::WrongCredentials);
            };
            let newer = match check {
                Check::RightButOutdated => self.newer_hash(app).await,
                Check::Right | Check::Wrong | Check::NoSignerKey => None,
            };
            // While the password was hashed it may have been changed, or the account deleted.
            if let Some(person) = self.enter(app, &stored, newer.as_ref()).await? {
                attempt.succeeded();
                return Ok(SignedIn::Ok(Box::new(person)));
            }
        }
    }

    async fn stored(&self, app: &Context) -> Result<Option<PasswordHash>, Fault> {
        let found = self.account.look(app).await?;
        let method = found.as_ref().and_then(|found| found.user.method(&found.id));
        Ok(method.and_then(hash_of).cloned())
    }

    /// Writes to the audit log that the password was not looked at. Once for each delay; and for a full queue once per
    /// account and a few minutes, all that name no account together: whoever comes without pause must not be able to fill
    /// the log.
    async fn note_unserved(&self, app: &Context, unserved: &Unserved) -> Result<(), Fault> {
        let Account { scope, tenant, email } = &self.account;
        let (is_first, why) = match unserved {
            Unserved::TooManyFailures { of, delay, .. } => (app.refusals.is_first(delay), of.to_lowercase()),
            Unserved::Busy { .. } => {
                let known = self.account.look(app).await?.map(|_| email);
                let account = (scope.app.serial, tenant, known);
                (app.refusals.is_first_for_busy(account, app.steady()), "too many sign-ins at once".to_owned())
            }
            Unserved::NoSignerKey | Unserved::Fault(_) => return Ok(()),
        };
        match is_first {
            true => self.note_refusal(app, Some(&why)).await,
            false => Ok(()),
        }
    }

    /// Writes a refusal to the audit log: for this reason, else because of the credentials.
    ///
    /// Of a known account its user is named, so that attempts on it are found by the user's id.
    async fn note_refusal(&self, app: &Context, why: Option<&str>) -> Result<(), Fault> {
        transact(app, &self.account.about(), "committing a refused sign-in", |mut tx| async move {
            let refused = self.account.event(AuditKind::SignInRefused);
            let event = match self.account.find(tx.as_mut()).await? {
                Some(Found { user, id }) => {
                    let refused = refused.user(user.shown_id()).recipe_user(user.shown(&id));
                    refused.detail(why.unwrap_or("wrong password"))
                }
                None => refused.detail(why.unwrap_or("unknown e-mail address")),
            };
            audit::note(tx.as_mut(), app, &self.account.scope, event)?;
            Ok(Step::Commit(tx, ()))
        })
        .await
    }

    /// A hash of the whole password with the present settings, instead of an outdated one. The person is let in without
    /// it, too: then the next sign-in makes it.
    async fn newer_hash(&self, app: &Context) -> Option<PasswordHash> {
        let parameters = self.account.scope.app.config.password_hashing;
        match app.hashing.hash(self.password, parameters, app.entropy.as_ref()).await {
            Ok(text) => Some(PasswordHash::new(text)),
            Err(error) => {
                tracing::debug!(%error, "an outdated password hash stays until the next sign-in");
                None
            }
        }
    }

    /// The person, if the account still has the hash that was checked; marks it as active, and gives it the newer hash.
    async fn enter(
        &self,
        app: &Context,
        checked: &PasswordHash,
        newer: Option<&PasswordHash>,
    ) -> Result<Option<Person>, Fault> {
        let about = self.account.about();
        let entered = transact(app, &about, "committing a sign-in", |mut tx| async move {
            let scope = &self.account.scope;
            let Some(mut found) = self.account.find(tx.as_mut()).await? else { return Ok(Step::Done(None)) };
            if found.user.method(&found.id).and_then(hash_of) != Some(checked) {
                return Ok(Step::Done(None));
            }
            if let Some(newer) = newer {
                let before = found.user.clone();
                found.user.set_password(&found.id, newer);
                user::write(tx.as_mut(), &scope.app.id, &[&before], &[&found.user]).await.map_err(writing)?;
            }
            let active =
                mark_active(tx.as_mut(), app, &scope.app, found.user.shown_id(), app.now()).await.map_err(writing)?;
            let person = Person::load(tx.as_mut(), &scope.app.id, found).await?;
            let event = self.account.event_of(AuditKind::SignedIn, &person);
            audit::note(tx.as_mut(), app, scope, event)?;
            Ok(Step::Commit(tx, Some((person, active))))
        });
        Ok(entered.await?.map(|(person, active)| {
            active.committed();
            person
        }))
    }
}
