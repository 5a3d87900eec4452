//! `POST /recipe/signup`, and how imported accounts come to be.

use super::{Account, Person, writing};
use crate::command::activity::{Marked, mark_active};
use crate::command::audit;
use crate::command::transact::{Step, transact};
use crate::command::user::{new_id, require_tenant};
use crate::context::Context;
use crate::domain::audit::AuditKind;
use crate::domain::user::{Login, LoginMethod, PasswordHash, RecipeId, User, is_fake_email};
use crate::fault::Fault;
use crate::state::password::Unserved;
use crate::store::Tx;
use crate::store::user::{self, Found, Taken};

/// Makes an account.
pub struct SignUp<'a> {
    /// The account to be made.
    pub account: Account,
    /// Its password.
    pub password: &'a str,
}

/// How it ended.
pub enum SignedUp {
    /// The account stands, durably.
    Ok(Box<Person>),
    /// An account in this tenant has this address and a password.
    EmailTaken,
}

impl SignUp<'_> {
    /// Runs the command. Of several runs at once with one address, one makes the account.
    ///
    /// # Errors
    /// When the store fails, or too many passwords wait to be hashed.
    pub async fn run(self, app: &Context) -> Result<SignedUp, Unserved> {
        // Who is there already is told so without the price of a hash.
        if self.account.look(app).await?.is_some() {
            return Ok(SignedUp::EmailTaken);
        }
        let parameters = self.account.scope.app.config.password_hashing;
        let hash = app.hashing.hash(self.password, parameters, app.entropy.as_ref()).await?;
        let hash = PasswordHash::new(hash);
        let about = self.account.about();
        let added = transact(app, &about, "committing a sign-up", |tx| self.attempt(app, tx, &hash));
        let Some((person, active)) = added.await? else { return Ok(SignedUp::EmailTaken) };
        active.committed();
        app.metrics.sign_ups.happened(RecipeId::EmailPassword);
        Ok(SignedUp::Ok(Box::new(person)))
    }

    /// `None`: the address is taken.
    async fn attempt(
        &self,
        app: &Context,
        mut tx: Box<dyn Tx>,
        hash: &PasswordHash,
    ) -> Result<Step<Option<(Person, Marked)>>, Fault> {
        let Account { scope, .. } = &self.account;
        let Some(person) = add(app, tx.as_mut(), &self.account, hash).await? else {
            return Ok(Step::Commit(tx, None));
        };
        let shown = person.info.user.shown_id();
        let active = mark_active(tx.as_mut(), app, &scope.app, shown, app.now()).await.map_err(writing)?;
        let event = self.account.event_of(AuditKind::SignedUp, &person);
        audit::note(tx.as_mut(), app, scope, event)?;
        Ok(Step::Commit(tx, Some((person, active))))
    }
}

/// Adds an account; `None` when the address is taken.
pub(super) async fn add(
    app: &Context,
    tx: &mut dyn Tx,
    account: &Account,
    hash: &PasswordHash,
) -> Result<Option<Person>, Fault> {
    let Account { scope, tenant, email } = account;
    require_tenant(tx, scope, tenant, "signing up").await?;
    let (app_id, now) = (&scope.app.id, app.now());
    let id = new_id(app, tx, app_id).await?;
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
