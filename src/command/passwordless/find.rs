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

/// Finds the person who signs in with codes sent to a contact.
pub struct FindByContact {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant to look in.
    pub tenant: TenantId,
    /// The contact.
    pub contact: Contact,
}

impl FindByContact {
    /// Returns the person; `None` when there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Option<Person>, Fault> {
        let (app_id, tenant, info) = (&self.scope.app.id, &self.tenant, &self.contact.info());
        transact(context, info, "looking up a contact", |mut tx| async move {
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
