//! `GET /recipe/user` by address (deprecated by the protocol).

use super::{Account, Person};
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::fault::Fault;

/// Looks up an account by its address.
pub struct FindByEmail(
    /// The account to look up.
    pub Account,
);

impl FindByEmail {
    /// Returns the person who has the account; `None` when there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Option<Person>, Fault> {
        let account = &self.0;
        transact(context, &account.about(), "looking up an account", |mut tx| async move {
            let person = match account.find(tx.as_mut()).await? {
                Some(found) => Some(Person::load(tx.as_mut(), &account.scope.app.id, found).await?),
                None => None,
            };
            Ok(Step::Commit(tx, person))
        })
        .await
    }
}
