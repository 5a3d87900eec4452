//! `GET /users/by-accountinfo`.

use super::UserInfo;
use super::list::with_info;
use crate::app::App;
use crate::command::session::Scope;
use crate::domain::ids::TenantId;
use crate::domain::user::{LookUp, Position, User};
use crate::fault::Fault;
use crate::store::user::search;
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
    pub async fn run(self, app: &App) -> Result<Vec<UserInfo>, Fault> {
        let failed = |error| Fault::new("looking users up", error);
        let id = &self.scope.app.id;
        let mut tx = app.store.begin();
        let mut found: BTreeMap<Position, User> = BTreeMap::new();
        for criterion in &self.criteria {
            let users = search::with_info(tx.as_mut(), id, &self.tenant, criterion).await.map_err(failed)?;
            found.extend(users.into_iter().map(|user| (user.position(), user)));
        }
        // Any method of the person counts here, of whatever tenant.
        let has = |user: &User, criterion: &LookUp| user.methods.iter().any(|method| criterion.matches(&method.login));
        let fits = |user: &User| self.union || self.criteria.iter().all(|criterion| has(user, criterion));
        let users = found.into_values().filter(fits).collect();
        with_info(tx.as_mut(), id, users).await.map_err(failed)
    }
}
