//! Users who share what somebody signs in with.

use crate::command::scope::Scope;
use crate::command::user::look_up::LookUpUsers;
use crate::command::user::{FindUser, Person, UserInfo};
use crate::context::Context;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::user::front_linking::Known;
use crate::domain::user::{AccountInfo, LookUp};
use crate::fault::Fault;

/// The users of a tenant who have one of these account infos there, oldest first.
///
/// # Errors
/// When the store fails.
pub(super) async fn sharing(
    context: &Context,
    scope: &Scope,
    tenant: &TenantId,
    infos: impl IntoIterator<Item = AccountInfo>,
) -> Result<Vec<UserInfo>, Fault> {
    look_up(scope, tenant, infos).run(context).await
}

/// The look-up of [`sharing`].
pub(super) fn look_up(scope: &Scope, tenant: &TenantId, infos: impl IntoIterator<Item = AccountInfo>) -> LookUpUsers {
    let criteria = infos.into_iter().map(LookUp::Info).collect();
    LookUpUsers { scope: scope.clone(), tenant: tenant.clone(), criteria, union: true }
}

/// The person with this login method, given by the id that callers see; `None` for a person without such a login method.
///
/// # Errors
/// When the store fails.
pub async fn person_of(context: &Context, scope: &Scope, shown: &UserId) -> Result<Option<Person>, Fault> {
    let found = FindUser { scope: scope.clone(), id: shown.clone() }.run(context).await?;
    Ok(found.and_then(|info| {
        let method = info.user.methods.iter().find(|method| method.shown_id() == shown)?;
        let recipe_user_id = method.id.clone();
        Some(Person { info, recipe_user_id })
    }))
}

/// What the rules know about a user.
pub(super) fn known(info: &UserInfo) -> Known<'_> {
    Known { user: &info.user, verified: &info.verified }
}

/// What the rules know about users.
pub(super) fn all_known(users: &[UserInfo]) -> Vec<Known<'_>> {
    users.iter().map(known).collect()
}
