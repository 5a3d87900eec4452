//! `GET /recipe/user` by contact (deprecated by the protocol).

use super::failed;
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::command::user::Person;
use crate::context::Context;
use crate::domain::ids::TenantId;
use crate::domain::passwordless::Contact;
use crate::domain::user::RecipeId;
use crate::fault::Fault;
use crate::store::user;

/// Looks the person up who signs in with codes sent to a contact.
pub struct FindByContact {
    /// Where.
    pub scope: Scope,
    /// In which tenant.
    pub tenant: TenantId,
    /// The contact.
    pub contact: Contact,
}

impl FindByContact {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &Context) -> Result<Option<Person>, Fault> {
        let (app_id, tenant, info) = (&self.scope.app.id, &self.tenant, &self.contact.info());
        transact(app, info, "looking a contact up", |mut tx| async move {
            let found = user::find_identity(tx.as_mut(), app_id, tenant, RecipeId::Passwordless, info).await;
            let person = match found.map_err(failed)? {
                Some(found) => Some(Person::load(tx.as_mut(), app_id, found).await?),
                None => None,
            };
            Ok(Step::Commit(tx, person))
        })
        .await
    }
}
