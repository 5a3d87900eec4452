//! `POST /recipe/signin`.

use super::{Account, Person, hash_of, writing};
use crate::command::audit;
use crate::command::signing_in::{Entry, SessionStart, SignedPerson};
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::crypto::password::Check;
use crate::domain::audit::AuditKind;
use crate::domain::user::PasswordHash;
use crate::fault::Fault;
use crate::metrics::SignInOutcome;
use crate::state::password::SignInRefused;
use crate::state::password::budgets::{SignInRealm, Who};
use crate::store::user::{self, Found};

/// Signs a person in.
pub struct SignIn<'a> {
    /// The account to sign in to.
    pub account: Account,
    /// The password as presented.
    pub password: &'a str,
    /// The person who has the account, where the caller has just looked it up: then this is not done again.
    pub looked_up: Option<Option<&'a Person>>,
    /// The session that begins with it, if one does.
    pub session: Option<SessionStart>,
}

/// The outcome of a sign-in.
pub enum SignedIn {
    /// The password is right.
    Ok(Box<SignedPerson>),
    /// Unknown address or wrong password; the response time does not reveal which.
    WrongCredentials,
}

impl SignIn<'_> {
    /// Signs the person in and returns the outcome.
    ///
    /// # Errors
    /// When the store fails, too many passwords wait to be hashed, or too many sign-ins have failed.
    pub async fn run(self, context: &Context) -> Result<SignedIn, SignInRefused> {
        let outcome = self.attempt(context).await;
        let figure = match &outcome {
            Ok(SignedIn::Ok(_)) => Some(SignInOutcome::Ok),
            Ok(SignedIn::WrongCredentials) => Some(SignInOutcome::WrongCredentials),
            Err(SignInRefused::TooManyFailures { .. }) => Some(SignInOutcome::Delayed),
            Err(SignInRefused::Busy { .. }) => Some(SignInOutcome::Busy),
            Err(SignInRefused::NoSignerKey | SignInRefused::Fault(_)) => None,
        };
        if let Some(figure) = figure {
            context.metrics.sign_ins.count(figure);
        }
        if let Err(refusal) = &outcome {
            self.note_early_refusal(context, refusal).await?;
        }
        outcome
    }

    async fn attempt(&self, context: &Context) -> Result<SignedIn, SignInRefused> {
        let Account { scope, tenant, email } = &self.account;
        let who = Who { app: &scope.app, realm: SignInRealm::Tenant(tenant), email, address: scope.cause.client };
        let attempt = context.budgets.begin(who, context.steady())?;
        let mut looked_up = self.looked_up.map(|person| person.and_then(hash_of_person));
        loop {
            let stored = match looked_up.take() {
                Some(stored) => stored,
                None => self.stored(context).await?,
            };
            let text = stored.as_ref().map(PasswordHash::expose);
            let check = context.hashing.check(text, self.password, &scope.app.config).await?;
            let Some(stored) = stored.filter(|_| check != Check::Wrong) else {
                attempt.record_failure();
                self.note_refusal(context, None).await?;
                return Ok(SignedIn::WrongCredentials);
            };
            let newer = match check {
                Check::RightButOutdated => self.newer_hash(context).await,
                Check::Right | Check::Wrong | Check::NoSignerKey => None,
            };
            // The password may have been changed, or the account deleted, while it was hashed.
            if let Some(entered) = self.enter(context, &stored, newer.as_ref()).await? {
                attempt.record_success();
                return Ok(SignedIn::Ok(Box::new(entered)));
            }
        }
    }

    async fn stored(&self, context: &Context) -> Result<Option<PasswordHash>, Fault> {
        let found = self.account.look(context).await?;
        let method = found.as_ref().and_then(|found| found.user.method(&found.id));
        Ok(method.and_then(hash_of).cloned())
    }

    /// Writes to the audit log that the password was not checked: once per delay, and for a full queue once per account
    /// within a few minutes, with all attempts that name no account counted together. Continuous attempts must not be
    /// able to fill the log.
    async fn note_early_refusal(&self, context: &Context, refusal: &SignInRefused) -> Result<(), Fault> {
        let Account { scope, tenant, email } = &self.account;
        let (is_first, why) = match refusal {
            SignInRefused::TooManyFailures { of, delay, .. } => (context.refusals.is_first(delay), of.to_lowercase()),
            SignInRefused::Busy { .. } => {
                let known = self.account.look(context).await?.map(|_| email);
                let account = (scope.app.serial, tenant, known);
                (context.refusals.is_first_for_busy(account, context.steady()), "too many sign-ins at once".to_owned())
            }
            SignInRefused::NoSignerKey | SignInRefused::Fault(_) => return Ok(()),
        };
        match is_first {
            true => self.note_refusal(context, Some(&why)).await,
            false => Ok(()),
        }
    }

    /// Writes a refusal to the audit log, with this reason or else the wrong credentials.
    ///
    /// For a known account its user is named, so that attempts on it are found by the user's id.
    async fn note_refusal(&self, context: &Context, why: Option<&str>) -> Result<(), Fault> {
        transact(context, &self.account.about(), "committing a refused sign-in", |mut tx| async move {
            let refused = self.account.event(AuditKind::SignInRefused);
            let event = match self.account.find(tx.as_mut()).await? {
                Some(Found { user, id }) => {
                    let refused = refused.user(user.shown_id()).recipe_user(user.shown(&id));
                    refused.detail(why.unwrap_or("wrong password"))
                }
                None => refused.detail(why.unwrap_or("unknown e-mail address")),
            };
            audit::note(tx.as_mut(), context, &self.account.scope, event).await?;
            Ok(Step::Commit(tx, ()))
        })
        .await
    }

    /// Hashes the whole password with the present settings, to replace an outdated hash. If that fails, the person is
    /// let in anyway and the next sign-in tries again.
    async fn newer_hash(&self, context: &Context) -> Option<PasswordHash> {
        let parameters = self.account.scope.app.config.password_hashing;
        match context.hashing.hash(self.password, parameters, context.entropy.as_ref()).await {
            Ok(text) => Some(PasswordHash::new(text)),
            Err(error) => {
                tracing::debug!(%error, "an outdated password hash is kept until the next sign-in");
                None
            }
        }
    }

    /// Signs the person in, if the account still has the hash that was checked, and replaces an outdated hash.
    async fn enter(
        &self,
        context: &Context,
        checked: &PasswordHash,
        newer: Option<&PasswordHash>,
    ) -> Result<Option<SignedPerson>, Fault> {
        let about = self.account.about();
        let entered = transact(context, &about, "committing a sign-in", |mut tx| async move {
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
            let person = Person::load(tx.as_mut(), &scope.app.id, found).await?;
            let event = self.account.event_of(AuditKind::SignedIn, &person);
            audit::note(tx.as_mut(), context, scope, event).await?;
            let entry = Entry::add(context, tx.as_mut(), scope, person, self.session.as_ref()).await?;
            Ok(Step::Commit(tx, Some(entry)))
        });
        Ok(entered.await?.map(|entry| entry.committed(context)))
    }
}

/// The password hash with which a person signs in.
fn hash_of_person(person: &Person) -> Option<PasswordHash> {
    person.info.user.method(&person.recipe_user_id).and_then(hash_of).cloned()
}
