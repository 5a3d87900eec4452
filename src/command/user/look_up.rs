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

/// Finds users by exact values of what they sign in with.
pub struct LookUpUsers {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant in which a login method must match one of the criteria.
    pub tenant: TenantId,
    /// The criteria; without any, no user is found.
    pub criteria: Vec<LookUp>,
    /// Whether one criterion is enough; otherwise all must match, each for any login method of the person.
    pub union: bool,
}

impl LookUpUsers {
    /// Returns the users, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Vec<UserInfo>, Fault> {
        let command = &self;
        transact(context, &self.criteria, "looking up users", |mut tx| async move {
            let users = command.read(tx.as_mut()).await?;
            Ok(Step::Commit(tx, users))
        })
        .await
    }

    /// The same in a transaction, whose commit re-checks every user found.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::command) async fn read(&self, tx: &mut dyn Tx) -> Result<Vec<UserInfo>, Fault> {
        let failed = |error| Fault::new("looking up users", error);
        let id = &self.scope.app.id;
        let mut found: BTreeMap<Position, Row> = BTreeMap::new();
        for criterion in &self.criteria {
            let rows = search::with_info(tx, id, &self.tenant, criterion).await.map_err(failed)?;
            found.extend(rows.into_iter().map(|row| (row.user.position(), row)));
        }
        // Any method of the person counts here, whatever its tenant.
        let has = |user: &User, criterion: &LookUp| user.methods.iter().any(|method| criterion.matches(&method.login));
        let fits = |row: &Row| self.union || self.criteria.iter().all(|criterion| has(&row.user, criterion));
        let rows = found.into_values().filter(fits).collect();
        with_info(tx, id, rows).await.map_err(failed)
    }
}

/// Looks up a login method of one recipe by its own id.
pub struct FindLogin {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// Its id, internal or mapped.
    pub id: UserId,
    /// The recipe of the login method.
    pub recipe: RecipeId,
}

impl FindLogin {
    /// Returns the person with that login method alone; `None` when there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Option<Person>, Fault> {
        let command = &self;
        transact(context, &self.id, "looking up a login method", |mut tx| async move {
            let found = command.load(tx.as_mut()).await?;
            Ok(Step::Commit(tx, found))
        })
        .await
    }

    async fn load(&self, tx: &mut dyn Tx) -> Result<Option<Person>, Fault> {
        let app_id = &self.scope.app.id;
        let found = user::find(tx, app_id, &self.id).await;
        let found = found.map_err(|error| Fault::new("looking up a login method", error))?;
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
