//! Claims that the front door puts into access tokens, as the backend SDKs do (protocol: 20, 7).

use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::command::user::{FindUser, Person, UserInfo};
use crate::command::userroles::read::{PermissionsOfRole, RolesOfUser};
use crate::config::front::{FrontConfig, FrontRecipe};
use crate::context::Context;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::json::{Json, JsonObject, Members};
use crate::domain::multifactorauth::FactorsClaim;
pub use crate::domain::session::claims::{EMAIL_VERIFIED, FACTORS};
use crate::domain::session::claims::{PERMISSIONS, ROLES};
use crate::domain::time::UnixMillis;
use crate::domain::userroles::RoleName;
use crate::fault::Fault;
use crate::store::{Tx, user};

/// The claim that lists the hosts of the session's tenant.
const ALLOWED_DOMAINS: &str = "st-t-dmns";

/// The owner of a session's claims, in the ids that callers see.
#[derive(Debug, Clone)]
pub struct ClaimsOwner {
    /// The tenant of the session.
    pub tenant: TenantId,
    /// The primary user.
    pub user_id: UserId,
    /// The login method.
    pub recipe_user_id: UserId,
}

impl ClaimsOwner {
    /// A person who signs in to this tenant.
    #[must_use]
    pub fn of(person: &Person, tenant: &TenantId) -> Self {
        let user = &person.info.user;
        Self {
            tenant: tenant.clone(),
            user_id: user.shown_id().clone(),
            recipe_user_id: user.shown(&person.recipe_user_id).clone(),
        }
    }
}

/// Builds the payload of a new session: the issuer, then one claim for each recipe, in the order of the settings.
pub struct NewSessionClaims<'a> {
    /// The app, and what led to the command.
    pub scope: &'a Scope,
    /// The front door's settings.
    pub front: &'a FrontConfig,
    /// The issuer of the front door's tokens.
    pub issuer: &'a str,
    /// The owner of the session.
    pub owner: &'a ClaimsOwner,
    /// The factors that are complete at its beginning, where there are second factors.
    pub factors: Option<&'a FactorsClaim>,
}

impl NewSessionClaims<'_> {
    /// Returns the payload. A claim whose value is unknown is left out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(&self, context: &Context) -> Result<JsonObject, Fault> {
        transact(context, &self.owner.user_id, "reading the claims of a session", |mut tx| async move {
            let is_verified = match self.front.has(FrontRecipe::EmailVerification) {
                true => is_verified(tx.as_mut(), self.scope, &self.owner.recipe_user_id).await?,
                false => None,
            };
            let payload = self.read(context, tx.as_mut(), is_verified).await?;
            Ok(Step::Commit(tx, payload))
        })
        .await
    }

    /// The same in the transaction in which the session begins. `is_verified`: see [`is_email_verified`].
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::command) async fn read(
        &self,
        context: &Context,
        tx: &mut dyn Tx,
        is_verified: Option<bool>,
    ) -> Result<JsonObject, Fault> {
        let mut payload = Members::default();
        payload.set("iss", Json::Text(self.issuer.to_owned()));
        for recipe in &self.front.recipes {
            match recipe {
                FrontRecipe::EmailPassword
                | FrontRecipe::MultiFactorAuth
                | FrontRecipe::Passwordless
                | FrontRecipe::ThirdParty
                | FrontRecipe::Totp => {}
                FrontRecipe::EmailVerification => {
                    if let Some(verified) = is_verified {
                        payload.set(EMAIL_VERIFIED, boolean_claim(verified, context.now()));
                    }
                }
                FrontRecipe::UserRoles => self.add_roles(context, tx, &mut payload).await?,
            }
        }
        let hosts = self.front.tenant_hosts.of(&self.owner.tenant);
        if !hosts.is_empty() {
            payload.set(ALLOWED_DOMAINS, list_claim(hosts, context.now()));
        }
        if let Some(factors) = self.factors {
            payload.set(FACTORS, factors.to_json());
        }
        Ok(JsonObject::from(&payload))
    }

    async fn add_roles(&self, context: &Context, tx: &mut dyn Tx, payload: &mut Members) -> Result<(), Fault> {
        if !self.front.roles_in_token && !self.front.permissions_in_token {
            return Ok(());
        }
        let ClaimsOwner { tenant, user_id, .. } = self.owner;
        let roles = RolesOfUser { scope: self.scope.clone(), tenant: tenant.clone(), user_id: user_id.clone() };
        let roles = roles.read(tx).await?;
        if self.front.roles_in_token {
            let names = roles.iter().map(|role| role.as_str().to_owned()).collect();
            payload.set(ROLES, list_claim(names, context.now()));
        }
        if self.front.permissions_in_token {
            let permissions = permissions_of(tx, self.scope, roles).await?;
            payload.set(PERMISSIONS, list_claim(permissions, context.now()));
        }
        Ok(())
    }
}

/// Whether the address of a login method is verified; true if it has none. `None` if there is no such user.
///
/// # Errors
/// When the store fails.
pub async fn is_email_verified(context: &Context, scope: &Scope, recipe_user: &UserId) -> Result<Option<bool>, Fault> {
    transact(context, recipe_user, "reading whether an address is verified", |mut tx| async move {
        let is_verified = is_verified(tx.as_mut(), scope, recipe_user).await?;
        Ok(Step::Commit(tx, is_verified))
    })
    .await
}

async fn is_verified(tx: &mut dyn Tx, scope: &Scope, recipe_user: &UserId) -> Result<Option<bool>, Fault> {
    let failed = |error| Fault::new("reading whether an address is verified", error);
    let app = &scope.app.id;
    let Some(found) = user::find(tx, app, recipe_user).await.map_err(failed)? else { return Ok(None) };
    Ok(UserInfo::load(tx, app, found.user).await.map_err(failed)?.is_verified(recipe_user))
}

/// The address of a login method, given by the id that callers see: `Some(None)` if it has none, `None` if there is no
/// such login method.
///
/// # Errors
/// When the store fails.
pub async fn email_of(context: &Context, scope: &Scope, recipe_user: &UserId) -> Result<Option<Option<String>>, Fault> {
    let found = FindUser { scope: scope.clone(), id: recipe_user.clone() }.run(context).await?;
    Ok(found.and_then(|info| {
        let method = info.user.methods.iter().find(|method| method.shown_id() == recipe_user)?;
        Some(method.login.email().map(str::to_owned))
    }))
}

/// The permissions of roles, each once, in the order of the roles.
async fn permissions_of(tx: &mut dyn Tx, scope: &Scope, roles: Vec<RoleName>) -> Result<Vec<String>, Fault> {
    let mut permissions: Vec<String> = Vec::new();
    for role in roles {
        // A role that was deleted in the meantime has none.
        let Ok(found) = (PermissionsOfRole { scope: scope.clone(), role }).read(tx).await? else { continue };
        for permission in found {
            if !permissions.iter().any(|known| known == permission.as_str()) {
                permissions.push(permission.as_str().to_owned());
            }
        }
    }
    Ok(permissions)
}

/// A claim whose value is true or false.
#[must_use]
pub fn boolean_claim(value: bool, now: UnixMillis) -> Json {
    claim(Json::Bool(value), now)
}

fn list_claim(values: Vec<String>, now: UnixMillis) -> Json {
    claim(Json::Array(values.into_iter().map(Json::Text).collect()), now)
}

/// A claim: its value, and when it was fetched (ms).
fn claim(value: Json, now: UnixMillis) -> Json {
    let mut members = Members::default();
    members.set("v", value);
    members.set("t", Json::Number(now.0.to_string().into()));
    Json::Object(members)
}
