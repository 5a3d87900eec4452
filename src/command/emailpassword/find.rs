//! `GET /recipe/user` by address (deprecated by the protocol).

use super::{Account, Person};
use crate::command::retry::steady;
use crate::context::Context;
use crate::fault::Fault;

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
    pub async fn run(self, app: &Context) -> Result<Option<Person>, Fault> {
        Ok(steady!(app, &self.0.about(), "looking an account up", |tx| match self.0.find(tx).await? {
            Some(found) => Some(Person::load(tx, &self.0.scope.app.id, found).await?),
            None => None,
        }))
    }
}
