//! `POST /recipe/dashboard/signin`.

use super::{event, reading, writing};
use crate::command::audit;
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::crypto::password::Check;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::dashboard::SESSION_LIFETIME_MS;
use crate::domain::entropy::random_uuid;
use crate::domain::secret::Secret;
use crate::domain::token_hash::TokenHash1;
use crate::fault::Fault;
use crate::state::password::SignInRefused;
use crate::state::password::budgets::{SignInRealm, Who};
use crate::store::dashboard::{self, DashboardSessionRecord, DashboardUserRecord};
use crate::store::{Tx, codec};

/// Signs an operator in.
pub struct DashboardSignIn<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The address; normalised.
    pub email: String,
    /// The password as presented.
    pub password: &'a str,
}

/// The outcome of a sign-in.
pub enum SignedIn {
    /// The password is right; the new session's id.
    Ok(Secret<String>),
    /// Unknown address or wrong password; the response time does not reveal which.
    WrongCredentials,
}

impl DashboardSignIn<'_> {
    /// Signs the operator in and returns the outcome.
    ///
    /// # Errors
    /// When the store fails, too many passwords wait to be hashed, or too many sign-ins have failed.
    pub async fn run(self, context: &Context) -> Result<SignedIn, SignInRefused> {
        let entry = &self.scope.app;
        let address = self.scope.cause.client;
        let who = Who { app: entry, realm: SignInRealm::Dashboard, email: &self.email, address };
        let attempt = context.budgets.begin(who, context.steady())?;
        loop {
            let stored = self.find(context.store.begin().as_mut()).await?;
            let hash = stored.as_ref().map(|user| user.password.expose());
            let check = context.hashing.check(hash, self.password, &entry.config).await?;
            let Some(stored) = stored.filter(|_| check != Check::Wrong) else {
                attempt.record_failure();
                self.note_refusal(context).await?;
                return Ok(SignedIn::WrongCredentials);
            };
            // The password may have been changed, or the user removed, while it was hashed.
            if let Some(session) = self.enter(context, &stored).await? {
                attempt.record_success();
                return Ok(SignedIn::Ok(session));
            }
        }
    }

    async fn find(&self, tx: &mut dyn Tx) -> Result<Option<DashboardUserRecord>, Fault> {
        dashboard::user_by_email(tx, &self.scope.app.id, &self.email).await.map_err(reading)
    }

    /// Writes a refusal to the audit log; sign-ins refused before anything was checked are not written.
    async fn note_refusal(&self, context: &Context) -> Result<(), Fault> {
        transact(context, &self.email, "committing a refused sign-in to the dashboard", |mut tx| async move {
            let kind = AuditKind::DashboardSignInRefused;
            let refused = match self.find(tx.as_mut()).await? {
                Some(user) => event(kind, &user).detail("wrong password"),
                None => AuditEvent::of(kind).login(&self.email).detail("unknown e-mail address"),
            };
            audit::note(tx.as_mut(), context, &self.scope, refused).await?;
            Ok(Step::Commit(tx, ()))
        })
        .await
    }

    /// Creates a session, if the user is still the one whose password was checked.
    async fn enter(&self, context: &Context, checked: &DashboardUserRecord) -> Result<Option<Secret<String>>, Fault> {
        let app_id = &self.scope.app.id;
        let id = Secret::new(random_uuid(context.entropy.as_ref()).to_string());
        let hash = &TokenHash1::of(id.expose());
        let is_entered = transact(context, &self.email, "committing a sign-in to the dashboard", |mut tx| async move {
            let user = self.find(tx.as_mut()).await?;
            let Some(user) = user.filter(|user| user.password == checked.password) else {
                return Ok(Step::Done(false));
            };
            let now = context.now();
            let session = DashboardSessionRecord {
                user_id: user.id.clone(),
                series: user.sessions,
                created: now,
                expires: now.plus(SESSION_LIFETIME_MS),
            };
            codec::put(tx.as_mut(), dashboard::session_key(app_id, hash), &session).map_err(writing)?;
            audit::note(tx.as_mut(), context, &self.scope, event(AuditKind::DashboardSignedIn, &user)).await?;
            Ok(Step::Commit(tx, true))
        });
        Ok(is_entered.await?.then_some(id))
    }
}
