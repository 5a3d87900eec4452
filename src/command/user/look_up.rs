//! `GET /users/by-accountinfo`, and `GET /recipe/user` by id.

use super::list::with_info;
use super::{Person, UserInfo};
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::user::{LookUp, Position, RecipeId, User};
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::user::{self, Found, Row, search};
use std::collections::BTreeMap;

/// Finds users by exactly what they sign in with.
pub struct LookUpUsers {
    /// Where.
    pub scope: Scope,
    /// A login method of this tenant must have one of the criteria.
    pub tenant: TenantId,
    /// What to look for; nobody is found without one.
    pub criteria: Vec<LookUp>,
    /// Whether one criterion is enough; otherwise all must hold, each for any login method of the person.
    pub union: bool,
}

impl LookUpUsers {
    /// Runs the command; oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &Context) -> Result<Vec<UserInfo>, Fault> {
        transact(app, &self.criteria, "looking users up", |tx| self.look(tx)).await
    }

    async fn look(&self, mut tx: Box<dyn Tx>) -> Result<Step<Vec<UserInfo>>, Fault> {
        let failed = |error| Fault::new("looking users up", error);
        let id = &self.scope.app.id;
        let mut found: BTreeMap<Position, Row> = BTreeMap::new();
        for criterion in &self.criteria {
            let rows = search::with_info(tx.as_mut(), id, &self.tenant, criterion).await.map_err(failed)?;
            found.extend(rows.into_iter().map(|row| (row.user.position(), row)));
        }
        // Any method of the person counts here, of whatever tenant.
        let has = |user: &User, criterion: &LookUp| user.methods.iter().any(|method| criterion.matches(&method.login));
        let fits = |row: &Row| self.union || self.criteria.iter().all(|criterion| has(&row.user, criterion));
        let rows = found.into_values().filter(fits).collect();
        let users = with_info(tx.as_mut(), id, rows).await.map_err(failed)?;
        Ok(Step::Commit(tx, users))
    }
}

/// Looks a login method of one recipe up by its own id.
pub struct FindLogin {
    /// Where.
    pub scope: Scope,
    /// Internal or mapped.
    pub id: UserId,
    /// Which recipe.
    pub recipe: RecipeId,
}

impl FindLogin {
    /// Runs the command; the person is shown with that login method alone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &Context) -> Result<Option<Person>, Fault> {
        let command = &self;
        transact(app, &self.id, "looking a login method up", |mut tx| async move {
            let found = command.look(tx.as_mut()).await?;
            Ok(Step::Commit(tx, found))
        })
        .await
    }

    async fn look(&self, tx: &mut dyn Tx) -> Result<Option<Person>, Fault> {
        let app_id = &self.scope.app.id;
        let found = user::find(tx, app_id, &self.id).await;
        let found = found.map_err(|error| Fault::new("looking a login method up", error))?;
        let Some(Found { user, id }) = found else { return Ok(None) };
        match user.method(&id).filter(|method| method.login.recipe() == self.recipe) {
            Some(method) => {
                let alone = User { is_primary: user.is_primary, ..User::new(method.clone()) };
                Person::load(tx, app_id, Found { user: alone, id }).await.map(Some)
            }
            None => Ok(None),
        }
    }
}
