//! `POST /recipe/signinup`.

use super::{reading, writing};
use crate::command::audit;
use crate::command::scope::Scope;
use crate::command::signing_in::{Entry, SessionStart, SignedPerson};
use crate::command::transact::{Step, transact};
use crate::command::user::{Person, confirm_email, new_id, require_tenant};
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::user::{AccountInfo, Login, LoginMethod, RecipeId, ThirdPartyAccount, User};
use crate::fault::Fault;
use crate::store::user::{self, Found, Taken};
use crate::store::{Tx, user_data};

/// Signs in the person who has an account at a provider; signs a new person up if there is none.
pub struct SignInUp {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant to sign in to.
    pub tenant: TenantId,
    /// The account; compared exactly.
    pub account: ThirdPartyAccount,
    /// The address that the provider reported; normalised.
    pub email: String,
    /// Whether the provider states that the address is the person's.
    pub email_is_verified: bool,
    /// The session that begins with it, if one does.
    pub session: Option<SessionStart>,
}

/// The outcome of a sign-in.
pub enum SignedInUp {
    /// Signed in, durably.
    Ok {
        /// The person.
        signed: Box<SignedPerson>,
        /// Whether the person signed up with this call.
        created: bool,
    },
    /// The person is a primary user whose address has changed to one that another primary user has in one of its
    /// tenants.
    EmailReserved,
}

/// A user as it will be written.
struct LoginUpdate {
    before: Option<User>,
    after: User,
    /// The login method's internal id.
    id: UserId,
}

/// The person, and whether it is new; `None` where the address is reserved.
type Signed = Result<Option<(Entry, bool)>, Fault>;

impl SignInUp {
    /// Signs the person in and returns the outcome. Of several concurrent runs with one account, one signs the person
    /// up.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<SignedInUp, Fault> {
        let about = (&self.scope.app.id.app_id, self.tenant.as_str(), &self.account.id, &self.account.user_id);
        let signed = transact(context, &about, "committing a sign-in", |tx| self.attempt(context, tx));
        let Some((entry, created)) = signed.await?? else { return Ok(SignedInUp::EmailReserved) };
        if created {
            context.metrics.sign_ups.count(RecipeId::ThirdParty);
        }
        Ok(SignedInUp::Ok { signed: Box::new(entry.committed(context)), created })
    }

    async fn attempt(&self, context: &Context, mut tx: Box<dyn Tx>) -> Result<Step<Signed>, Fault> {
        let entry = &self.scope.app;
        let LoginUpdate { before, after, id } = self.change(context, tx.as_mut()).await?;
        let created = before.is_none();
        let events = self.events(before.as_ref(), &after, &id);
        let before: Vec<&User> = before.iter().collect();
        match user::save(tx.as_mut(), &entry.id, &before, &[&after]).await.map_err(writing)? {
            Ok(()) => {}
            Err(Taken::Reservation { .. }) => {
                let refused = self.event(AuditKind::SignInRefused, &after, &id);
                let refused = refused.detail("another primary user has the new e-mail address");
                audit::note(tx.as_mut(), context, &self.scope, refused).await?;
                return Ok(Step::Commit(tx, Ok(None)));
            }
            Err(Taken::Identity { .. } | Taken::Id { .. }) => {
                // Taken since this transaction read it: the commit conflicts.
                let broken = Fault::invariant("signing in or up: a free login is taken");
                return Ok(Step::Commit(tx, Err(broken)));
            }
        }
        user_data::remove_outdated(tx.as_mut(), &entry.id, &before, &[&after]).await.map_err(writing)?;
        self.mark_verified(context, tx.as_mut(), &after, &id).await?;
        for event in events {
            audit::note(tx.as_mut(), context, &self.scope, event).await?;
        }
        let person = Person::load(tx.as_mut(), &entry.id, Found { user: after, id }).await?;
        let entry = Entry::add(context, tx.as_mut(), &self.scope, person, self.session.as_ref()).await?;
        Ok(Step::Commit(tx, Ok(Some((entry, created)))))
    }

    /// The person with the current address, or a new one.
    async fn change(&self, context: &Context, tx: &mut dyn Tx) -> Result<LoginUpdate, Fault> {
        let app_id = &self.scope.app.id;
        let identity = AccountInfo::ThirdParty(self.account.clone());
        let found = user::find_identity(tx, app_id, &self.tenant, RecipeId::ThirdParty, &identity).await;
        if let Some(Found { user, id }) = found.map_err(reading)? {
            let mut after = user.clone();
            after.set_email(&id, &self.email);
            return Ok(LoginUpdate { before: Some(user), after, id });
        }
        require_tenant(tx, &self.scope, &self.tenant, "signing up").await?;
        let id = new_id(context, tx, app_id).await?;
        let login = Login::ThirdParty { account: self.account.clone(), email: self.email.clone() };
        let tenants = [self.tenant.clone()].into();
        let method = LoginMethod { id: id.clone(), external: None, tenants, time_joined: context.now(), login };
        Ok(LoginUpdate { before: None, after: User::new(method), id })
    }

    /// The audit event: a sign-up, or a sign-in with the address if it has changed.
    fn events(&self, before: Option<&User>, after: &User, id: &UserId) -> Vec<AuditEvent> {
        let Some(before) = before else { return vec![self.event(AuditKind::SignedUp, after, id)] };
        let changed = (before != after).then_some(AuditKind::EmailChanged);
        changed.into_iter().chain([AuditKind::SignedIn]).map(|kind| self.event(kind, after, id)).collect()
    }

    fn event(&self, kind: AuditKind, user: &User, id: &UserId) -> AuditEvent {
        let event = AuditEvent::of(kind).user(user.shown_id()).recipe_user(user.shown(id));
        event.tenant(&self.tenant).recipe(RecipeId::ThirdParty).login(&self.email)
    }

    /// Marks an address that the provider confirms as verified, under the id that callers use. Others stay as they are.
    async fn mark_verified(&self, context: &Context, tx: &mut dyn Tx, user: &User, id: &UserId) -> Result<(), Fault> {
        if !self.email_is_verified {
            return Ok(());
        }
        if confirm_email(tx, &self.scope.app.id, user.shown(id), &self.email, context.now()).await? {
            audit::note(tx, context, &self.scope, self.event(AuditKind::EmailVerified, user, id)).await?;
        }
        Ok(())
    }
}
