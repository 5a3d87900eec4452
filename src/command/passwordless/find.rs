//! `GET /recipe/user` by contact (deprecated by the protocol).

use super::failed;
use crate::command::retry::steady;
use crate::command::scope::Scope;
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
        let app_id = &self.scope.app.id;
        let info = self.contact.info();
        Ok(steady!(app, &info, "looking a contact up", |tx| {
            let found = user::find_identity(tx, app_id, &self.tenant, RecipeId::Passwordless, &info).await;
            match found.map_err(failed)? {
                Some(found) => Some(Person::load(tx, app_id, found).await?),
                None => None,
            }
        }))
    }
}
