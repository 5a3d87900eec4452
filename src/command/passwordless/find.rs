//! `GET /recipe/user` by contact (deprecated by the protocol).

use super::failed;
use crate::app::App;
use crate::command::session::Scope;
use crate::command::user::Person;
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
    pub async fn run(self, app: &App) -> Result<Option<Person>, Fault> {
        let app_id = &self.scope.app.id;
        let mut tx = app.store.begin();
        let info = self.contact.info();
        let found = user::find_identity(tx.as_mut(), app_id, &self.tenant, RecipeId::Passwordless, &info).await;
        match found.map_err(failed)? {
            Some(found) => Person::load(tx.as_mut(), app_id, found).await.map(Some),
            None => Ok(None),
        }
    }
}
