//! `GET /recipe/user` (deprecated by the protocol).

use super::{Account, Person, hash_of, reading};
use crate::app::App;
use crate::command::retry::steady;
use crate::command::session::Scope;
use crate::domain::ids::UserId;
use crate::domain::user::User;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::user::{self, Found};

/// Looks a login method with a password up by its own id.
pub struct FindById {
    /// Where.
    pub scope: Scope,
    /// Internal or mapped.
    pub id: UserId,
}

impl FindById {
    /// Runs the command; the person is shown with that login method alone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &App) -> Result<Option<Person>, Fault> {
        Ok(steady!(app, &self.id, "looking a login up", |tx| self.look(tx).await?))
    }

    async fn look(&self, tx: &mut dyn Tx) -> Result<Option<Person>, Fault> {
        let app_id = &self.scope.app.id;
        let found = user::find(tx, app_id, &self.id).await.map_err(reading)?;
        let Some(Found { user, id }) = found else { return Ok(None) };
        match user.method(&id).filter(|method| hash_of(method).is_some()) {
            Some(method) => {
                let found = Found { user: User::new(method.clone()), id };
                Person::load(tx, app_id, found).await.map(Some)
            }
            None => Ok(None),
        }
    }
}

/// Looks an account up by its address.
pub struct FindByEmail(
    /// The account.
    pub Account,
);

impl FindByEmail {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &App) -> Result<Option<Person>, Fault> {
        Ok(steady!(app, &self.0.about(), "looking an account up", |tx| match self.0.find(tx).await? {
            Some(found) => Some(Person::load(tx, &self.0.scope.app.id, found).await?),
            None => None,
        }))
    }
}
