//! `POST /recipe/signup`, and how imported accounts are created.

use super::{Account, Person, writing};
use crate::command::audit;
use crate::command::signing_in::{Entry, SessionStart, SignedPerson};
use crate::command::transact::{Step, transact};
use crate::command::user::{new_id, require_tenant};
use crate::context::Context;
use crate::domain::audit::AuditKind;
use crate::domain::json::JsonObject;
use crate::domain::user::{Login, LoginMethod, PasswordHash, RecipeId, User, is_fake_email};
use crate::fault::Fault;
use crate::state::password::SignInRefused;
use crate::store::user::{self, Found, Taken};
use crate::store::{Tx, usermetadata};

/// Creates an account.
pub struct SignUp<'a> {
    /// The account to create.
    pub account: Account,
    /// Its password.
    pub password: &'a str,
    /// What is noted in the new user's metadata.
    pub metadata: Option<JsonObject>,
    /// The session that begins with it, if one does.
    pub session: Option<SessionStart>,
}

/// The outcome of a sign-up.
pub enum SignedUp {
    /// The account is created, durably.
    Ok(Box<SignedPerson>),
    /// An account in this tenant has this address and a password.
    EmailTaken,
}

impl SignUp<'_> {
    /// Creates the account and returns the outcome. Of several concurrent runs with one address, one creates the
    /// account.
    ///
    /// # Errors
    /// When the store fails, or too many passwords wait to be hashed.
    pub async fn run(self, context: &Context) -> Result<SignedUp, SignInRefused> {
        // Report an existing account without the cost of a hash.
        if self.account.look(context).await?.is_some() {
            return Ok(SignedUp::EmailTaken);
        }
        let parameters = self.account.scope.app.config.password_hashing;
        let hash = context.hashing.hash(self.password, parameters, context.entropy.as_ref()).await?;
        let hash = PasswordHash::new(hash);
        let about = self.account.about();
        let added = transact(context, &about, "committing a sign-up", |tx| self.attempt(context, tx, &hash));
        let Some(entry) = added.await? else { return Ok(SignedUp::EmailTaken) };
        context.metrics.sign_ups.count(RecipeId::EmailPassword);
        Ok(SignedUp::Ok(Box::new(entry.committed(context))))
    }

    /// `None`: the address is taken.
    async fn attempt(
        &self,
        context: &Context,
        mut tx: Box<dyn Tx>,
        hash: &PasswordHash,
    ) -> Result<Step<Option<Entry>>, Fault> {
        let Account { scope, .. } = &self.account;
        let Some(person) = add(context, tx.as_mut(), &self.account, hash).await? else {
            return Ok(Step::Commit(tx, None));
        };
        if let Some(metadata) = &self.metadata {
            let shown = person.info.user.shown_id();
            usermetadata::put(tx.as_mut(), &scope.app.id, shown, metadata.clone()).map_err(writing)?;
        }
        let event = self.account.event_of(AuditKind::SignedUp, &person);
        audit::note(tx.as_mut(), context, scope, event).await?;
        let entry = Entry::add(context, tx.as_mut(), scope, person, self.session.as_ref()).await?;
        Ok(Step::Commit(tx, Some(entry)))
    }
}

/// Adds an account; `None` when the address is taken.
pub(super) async fn add(
    context: &Context,
    tx: &mut dyn Tx,
    account: &Account,
    hash: &PasswordHash,
) -> Result<Option<Person>, Fault> {
    let Account { scope, tenant, email } = account;
    require_tenant(tx, scope, tenant, "signing up").await?;
    let (app_id, now) = (&scope.app.id, context.now());
    let id = new_id(context, tx, app_id).await?;
    let login = Login::EmailPassword { email: email.clone(), password: hash.clone() };
    let tenants = [tenant.clone()].into();
    let user = User::new(LoginMethod { id: id.clone(), external: None, tenants, time_joined: now, login });
    match user::save(tx, app_id, &[], &[&user]).await.map_err(writing)? {
        Ok(()) => {}
        Err(Taken::Identity { .. }) => return Ok(None),
        Err(Taken::Reservation { .. } | Taken::Id { .. }) => {
            return Err(Fault::invariant("signing up: a new user claims more than its address"));
        }
    }
    if is_fake_email(email) {
        user::verified::mark(tx, app_id, &id, email, now).await.map_err(writing)?;
    }
    Person::load(tx, app_id, Found { user, id }).await.map(Some)
}
