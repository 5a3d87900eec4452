//! The emailpassword recipe's operations (CDI: emailpassword).
//!
//! Passwords are hashed before a transaction begins, never inside one: an attempt that decides on what it has read has
//! the hash at hand.

pub mod find;
pub mod import;
pub mod reset;
pub mod sign_in;
pub mod sign_up;
pub mod update;

use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
pub use crate::command::user::Person;
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::TenantId;
use crate::domain::user::{AccountInfo, Login, LoginMethod, PasswordHash, RecipeId};
use crate::fault::Fault;
use crate::state::password::budgets::SignInRealm;
use crate::store::user::{self, Found};
use crate::store::{StoreError, Tx};

/// An account: an address with a password in a tenant.
#[derive(Clone)]
pub struct Account {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant of the account.
    pub tenant: TenantId,
    /// The address; normalised.
    pub email: String,
}

impl Account {
    /// Finds the person who has this address and a password in this tenant.
    async fn find(&self, tx: &mut dyn Tx) -> Result<Option<Found>, Fault> {
        let email = AccountInfo::Email(self.email.clone());
        let app = &self.scope.app.id;
        user::find_identity(tx, app, &self.tenant, RecipeId::EmailPassword, &email).await.map_err(reading)
    }

    /// The same, as of one moment, for callers that do not go on to write.
    async fn look(&self, context: &Context) -> Result<Option<Found>, Fault> {
        transact(context, &self.about(), "looking up an account", |mut tx| async move {
            let found = self.find(tx.as_mut()).await?;
            Ok(Step::Commit(tx, found))
        })
        .await
    }

    /// An audit event about this account, whoever has it.
    fn event(&self, kind: AuditKind) -> AuditEvent {
        AuditEvent::of(kind).tenant(&self.tenant).recipe(RecipeId::EmailPassword).login(&self.email)
    }

    /// An audit event about the person who has this account.
    fn event_of(&self, kind: AuditKind, person: &Person) -> AuditEvent {
        let user = &person.info.user;
        self.event(kind).user(user.shown_id()).recipe_user(user.shown(&person.recipe_user_id))
    }

    /// The key by which attempts of commands about this account are queued.
    fn about(&self) -> impl std::hash::Hash + '_ {
        (&self.scope.app.id.app_id, self.tenant.as_str(), self.email.as_str())
    }
}

/// The password hash of a login method with a password.
fn hash_of(method: &LoginMethod) -> Option<&PasswordHash> {
    match &method.login {
        Login::EmailPassword { password, .. } => Some(password),
        Login::ThirdParty { .. } | Login::Passwordless { .. } | Login::Webauthn { .. } => None,
    }
}

/// Forgets earlier failed sign-ins: a person proved to be the owner in another way.
fn forget_failures(context: &Context, scope: &Scope, method: &LoginMethod) {
    for tenant in &method.tenants {
        if let Some(email) = method.login.email() {
            context.budgets.forget(&scope.app, SignInRealm::Tenant(tenant), email);
        }
    }
}

fn reading(error: StoreError) -> Fault {
    Fault::new("reading users", error)
}

fn writing(error: StoreError) -> Fault {
    Fault::new("writing a user", error)
}
