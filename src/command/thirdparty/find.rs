//! `GET /recipe/user` by account and `GET /recipe/users/by-email` (both deprecated by the protocol).

use super::reading;
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::command::user::{Person, UserInfo};
use crate::context::Context;
use crate::domain::ids::TenantId;
use crate::domain::user::{AccountInfo, Login, LoginMethod, LookUp, RecipeId, ThirdPartyAccount};
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::user::{self, search};

/// Finds the person who has an account at a provider.
pub struct FindByAccount {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant to look in.
    pub tenant: TenantId,
    /// The account; compared exactly.
    pub account: ThirdPartyAccount,
}

impl FindByAccount {
    /// Returns the person; `None` when there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Option<Person>, Fault> {
        let (app_id, tenant, identity) = (&self.scope.app.id, &self.tenant, &AccountInfo::ThirdParty(self.account));
        transact(context, identity, "looking up an account at a provider", |mut tx| async move {
            let found = user::find_identity(tx.as_mut(), app_id, tenant, RecipeId::ThirdParty, identity).await;
            let person = match found.map_err(reading)? {
                Some(found) => Some(Person::load(tx.as_mut(), app_id, found).await?),
                None => None,
            };
            Ok(Step::Commit(tx, person))
        })
        .await
    }
}

/// Finds the people whose accounts at providers have an address.
pub struct FindByEmail {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant to look in.
    pub tenant: TenantId,
    /// The address; normalised.
    pub email: String,
}

impl FindByEmail {
    /// Returns one entry per login method with an account at a provider and this address, oldest person first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Vec<Person>, Fault> {
        transact(context, &self.email, "looking up an address at providers", |tx| self.load(tx)).await
    }

    async fn load(&self, mut tx: Box<dyn Tx>) -> Result<Step<Vec<Person>>, Fault> {
        let app_id = &self.scope.app.id;
        let email = LookUp::Info(AccountInfo::Email(self.email.clone()));
        let rows = search::with_info(tx.as_mut(), app_id, &self.tenant, &email).await.map_err(reading)?;
        let mut people = Vec::new();
        for row in rows {
            let info = UserInfo::of_row(tx.as_mut(), app_id, row).await.map_err(reading)?;
            for method in info.user.methods.iter().filter(|method| self.matches(method)) {
                people.push(Person { info: info.clone(), recipe_user_id: method.id.clone() });
            }
        }
        Ok(Step::Commit(tx, people))
    }

    fn matches(&self, method: &LoginMethod) -> bool {
        let is_of_provider = matches!(&method.login, Login::ThirdParty { email, .. } if *email == self.email);
        is_of_provider && method.tenants.contains(&self.tenant)
    }
}
