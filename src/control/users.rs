//! Users: the tasks about them.

use crate::command::session::list::ListSessions;
use crate::command::user::delete::{DeleteUser, Deleted, Extent};
use crate::command::user::import::{EndImport, ImportStep, ImportUsers, StepEnded};
use crate::command::user::list::{ListUsers, SearchUsers};
use crate::command::user::{FindUser, UserInfo};
use crate::command::usermetadata::ReadMetadata;
use crate::command::userroles::read::RolesOfUser;
use crate::context::Context;
use crate::control::task_context::{TaskContext, failed, scope};
use crate::control::{UserLines, UsersWanted, upkeep};
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::import::Imported;
use crate::domain::json::JsonObject;
use crate::domain::time::UnixMillis;
use crate::domain::user::{Login, LoginMethod, Order, Position, RecipeId, Recipes, SearchTags};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// The most users listed in one answer.
const MAX_PAGE: usize = 500;

pub(super) async fn list(context: &Context, id: &AppId, wanted: UsersWanted) -> Result<Value, String> {
    let scope = scope(context, id, Some(&wanted.tenant), "sessiond users list")?;
    let tenant = TenantId::new(wanted.tenant);
    let order = if wanted.newest_first { Order::Descending } else { Order::Ascending };
    let recipe = match &wanted.recipe {
        None => None,
        Some(name) => Some(
            RecipeId::ALL
                .into_iter()
                .find(|recipe| recipe.as_str() == name)
                .ok_or_else(|| format!("no recipe {name} has users"))?,
        ),
    };
    if let Some(email) = wanted.email {
        let tags = SearchTags { emails: SearchTags::values(&email), ..SearchTags::default() };
        let mut found = SearchUsers { scope, tenant, tags, order }.run(context).await.map_err(failed)?;
        let of_recipe = |info: &UserInfo| info.user.methods.iter().any(|method| Some(method.login.recipe()) == recipe);
        found.retain(|info| recipe.is_none() || of_recipe(info));
        found.truncate(wanted.limit);
        return Ok(json!({ "users": found.iter().map(shown).collect::<Vec<_>>(), "next": null }));
    }
    let recipes = recipe.map_or_else(Recipes::all, |recipe| [recipe].into_iter().collect());
    let from = wanted.from.map(|(time, id)| Position { time_joined: UnixMillis(time), id: UserId::new(id) });
    let limit = wanted.limit.clamp(1, MAX_PAGE);
    let page = ListUsers { scope, tenant, recipes, order, from, limit }.run(context).await.map_err(failed)?;
    let next = page.next.map(|position| (position.time_joined, position.id));
    Ok(json!({ "users": page.users.iter().map(shown).collect::<Vec<_>>(), "next": next }))
}

/// A user with what the other recipes know about it.
pub(super) async fn show(context: &Context, id: &AppId, user: String) -> Result<Value, String> {
    let scope = scope(context, id, None, "sessiond users show")?;
    let named = UserId::new(user);
    let found = FindUser { scope: scope.clone(), id: named.clone() }.run(context).await.map_err(failed)?;
    let Some(info) = found else {
        return Err(format!("there is no user {} in this app", named.as_str()));
    };
    let mut all = shown(&info);
    let known_as = info.user.shown_id().clone();
    let mut roles = serde_json::Map::new();
    for tenant in info.user.tenants() {
        let of_tenant = RolesOfUser { scope: scope.clone(), tenant: tenant.clone(), user_id: known_as.clone() };
        let held = of_tenant.run(context).await.map_err(failed)?;
        roles.insert(tenant.as_str().to_owned(), json!(held));
    }
    let metadata = ReadMetadata { scope: scope.clone() }.of(context, &known_as).await.map_err(failed)?;
    let sessions =
        ListSessions { scope, user_id: known_as, tenant: None, linked: true }.run(context).await.map_err(failed)?;
    if let Some(members) = all.as_object_mut() {
        members.insert("roles".to_owned(), Value::Object(roles));
        // As text: a JSON tree would round numbers beyond 64 bits.
        members.insert("metadata".to_owned(), json!(metadata.as_ref().map(JsonObject::as_str)));
        members.insert("liveSessions".to_owned(), json!(sessions.len()));
    }
    Ok(all)
}

/// A user as `--json` prints it, with the names of the protocol's user object. It holds no password hash.
fn shown(info: &UserInfo) -> Value {
    let user = &info.user;
    let verified = info.verified.iter().copied().chain(std::iter::repeat(false));
    let methods: Vec<Value> = user.methods.iter().zip(verified).map(method).collect();
    json!({
        "id": user.shown_id(),
        "internalId": user.id,
        "isPrimaryUser": user.is_primary,
        "tenantIds": user.tenants(),
        "timeJoined": user.time_joined(),
        "loginMethods": methods,
    })
}

fn method((method, verified): (&LoginMethod, bool)) -> Value {
    let credentials = match &method.login {
        Login::Webauthn { credential_ids, .. } => Some(credential_ids.len()),
        Login::EmailPassword { .. } | Login::ThirdParty { .. } | Login::Passwordless { .. } => None,
    };
    json!({
        "recipeId": method.login.recipe(),
        "recipeUserId": method.shown_id(),
        "email": method.login.email(),
        "phoneNumber": method.login.phone_number(),
        "thirdParty": method.login.third_party().map(|account| json!({ "id": account.id, "userId": account.user_id })),
        "passkeys": credentials,
        "verified": verified,
        "timeJoined": method.time_joined,
        "tenantIds": method.tenants,
    })
}

/// Deletes a user with every login method, or one login method only.
pub(super) async fn delete(context: &Context, id: &AppId, user: String, only_method: bool) -> Result<Value, String> {
    let scope = scope(context, id, None, "sessiond users delete")?;
    let extent = if only_method { Extent::Method } else { Extent::Group };
    let deleted = DeleteUser { scope, id: UserId::new(user), extent }.run(context).await.map_err(failed)?;
    let methods = match deleted {
        Deleted::Ok { methods } => methods,
        Deleted::Nothing => 0,
    };
    Ok(json!({ "loginMethodsDeleted": methods }))
}

/// Executes a step of an import, once. Returns, for each line that was not imported, why.
pub(super) async fn import(
    context: &Context,
    id: &AppId,
    tenant: &str,
    lines: UserLines,
    step: ImportStep,
) -> Result<Value, String> {
    let scope = scope(context, id, Some(tenant), "sessiond users import")?;
    let command = ImportUsers { scope, tenant: TenantId::new(tenant), lines: lines.into_lines(), step };
    let outcomes = match command.run(context).await.map_err(failed)? {
        StepEnded::Done(outcomes) => outcomes,
        StepEnded::OtherLines => {
            return Err("the file has changed since the import was interrupted, in lines that are already imported; \
                        --restart starts over and leaves existing users unchanged"
                .to_owned());
        }
        StepEnded::StepsMissing => {
            return Err("the store does not know of the lines that this import has done: it was restored to an older \
                        state, or it is another one; --restart starts over and leaves existing users unchanged"
                .to_owned());
        }
    };
    let mut imported = 0_u64;
    let (mut existing, mut refused) = (Vec::new(), Vec::new());
    for (index, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Imported::Ok => imported += 1,
            Imported::Existing { tenant } => {
                let why = format!("an account with this 'email' already exists in tenant {}", tenant.as_str());
                existing.push((index, why));
            }
            Imported::Refused(why) => refused.push((index, why.to_string())),
        }
    }
    Ok(json!({ "imported": imported, "existing": existing, "refused": refused }))
}

/// Forgets an import's steps, and gives back the disk space that they took.
pub(super) async fn end_import(tasks: &TaskContext<'_>, id: &AppId, import: Uuid) -> Result<Value, String> {
    let context = tasks.context;
    let scope = scope(context, id, None, "sessiond users import")?;
    EndImport { scope, import }.run(context).await.map_err(failed)?;
    upkeep::reclaim(Arc::clone(&context.store), Arc::clone(&tasks.report)).await;
    Ok(json!({}))
}
