//! The user object, by version (CDI: common rules, user object).

use crate::command::user::{Person, UserInfo};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::time::UnixMillis;
use crate::domain::user::{Login, LoginMethod, RecipeId, ThirdPartyAccount};
use crate::http::cdi::version::Wire;
use crate::http::exchange::Reply;
use serde::Serialize;
use std::collections::BTreeSet;

/// A user as shown to a caller.
#[derive(Serialize)]
#[serde(untagged)]
pub enum UserObject<'a> {
    /// From account linking on: the person with all login methods.
    Whole(Box<WholeUser<'a>>),
    /// Before account linking: one login method.
    Legacy(LegacyUser<'a>),
}

/// The person with all login methods.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WholeUser<'a> {
    id: &'a UserId,
    is_primary_user: bool,
    tenant_ids: BTreeSet<&'a TenantId>,
    time_joined: UnixMillis,
    emails: BTreeSet<&'a str>,
    phone_numbers: BTreeSet<&'a str>,
    third_party: BTreeSet<ThirdPartyBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webauthn: Option<WebauthnBody<'a>>,
    login_methods: Vec<LoginMethodBody<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoginMethodBody<'a> {
    tenant_ids: &'a BTreeSet<TenantId>,
    recipe_user_id: &'a UserId,
    verified: bool,
    time_joined: UnixMillis,
    recipe_id: RecipeId,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    third_party: Option<ThirdPartyBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webauthn: Option<WebauthnBody<'a>>,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
struct ThirdPartyBody<'a> {
    id: &'a str,
    user_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WebauthnBody<'a> {
    credential_ids: Vec<&'a str>,
}

/// One login method under its own id.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LegacyUser<'a> {
    id: &'a UserId,
    time_joined: UnixMillis,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_ids: Option<&'a BTreeSet<TenantId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    third_party: Option<ThirdPartyBody<'a>>,
}

impl<'a> UserObject<'a> {
    /// The form that this version uses for a user when one login method is meant: `recipe_user_id` is its internal id.
    /// Before account linking only that method is shown; a group whose founder is gone shows its oldest.
    #[must_use]
    pub fn of(info: &'a UserInfo, recipe_user_id: &UserId, wire: Wire) -> Self {
        let method = info.user.method(recipe_user_id).or_else(|| info.user.methods.first());
        match method {
            Some(method) if !wire.users_have_login_methods => Self::Legacy(legacy(method, wire)),
            _ => Self::whole(info, wire),
        }
    }

    /// The same without a particular login method: before account linking the oldest one is shown.
    #[must_use]
    pub fn listed(info: &'a UserInfo, wire: Wire) -> Self {
        match info.user.methods.first() {
            Some(method) if !wire.users_have_login_methods => Self::Legacy(legacy(method, wire)),
            _ => Self::whole(info, wire),
        }
    }

    /// The person with all login methods, at every version.
    #[must_use]
    pub fn whole(info: &'a UserInfo, wire: Wire) -> Self {
        let user = &info.user;
        let credentials = user.methods.iter().filter_map(|method| credential_ids(&method.login)).flatten().collect();
        let shown = user
            .methods
            .iter()
            .filter(|method| wire.users_have_webauthn || method.login.recipe() != RecipeId::Webauthn);
        let verified = info.verified.iter().copied().chain(std::iter::repeat(false));
        Self::Whole(Box::new(WholeUser {
            id: user.shown_id(),
            is_primary_user: user.is_primary,
            tenant_ids: user.tenants(),
            time_joined: user.time_joined(),
            emails: shown.filter_map(|method| method.login.email()).collect(),
            phone_numbers: user.methods.iter().filter_map(|method| method.login.phone_number()).collect(),
            third_party: user.methods.iter().filter_map(|method| method.login.third_party()).map(third_party).collect(),
            webauthn: wire.users_have_webauthn.then_some(WebauthnBody { credential_ids: credentials }),
            login_methods: user
                .methods
                .iter()
                .zip(verified)
                .map(|(method, verified)| login_method(method, verified, wire))
                .collect(),
        }))
    }
}

#[derive(Serialize)]
struct FoundBody<'a> {
    status: &'static str,
    user: UserObject<'a>,
}

/// The reply for a person who was looked up, or with the status `unknown` if there is none.
#[must_use]
pub fn found_or(unknown: &'static str, person: Option<&Person>, wire: Wire) -> Reply {
    person.map_or_else(
        || Reply::status(unknown),
        |person| {
            let user = UserObject::of(&person.info, &person.recipe_user_id, wire);
            Reply::json(&FoundBody { status: "OK", user })
        },
    )
}

fn login_method<'a>(method: &'a LoginMethod, verified: bool, wire: Wire) -> LoginMethodBody<'a> {
    let credentials = credential_ids(&method.login).filter(|_| wire.users_have_webauthn);
    LoginMethodBody {
        tenant_ids: &method.tenants,
        recipe_user_id: method.shown_id(),
        verified,
        time_joined: method.time_joined,
        recipe_id: method.login.recipe(),
        email: method.login.email(),
        phone_number: method.login.phone_number(),
        third_party: method.login.third_party().map(third_party),
        webauthn: credentials.map(|ids| WebauthnBody { credential_ids: ids.collect() }),
    }
}

fn legacy<'a>(method: &'a LoginMethod, wire: Wire) -> LegacyUser<'a> {
    LegacyUser {
        id: method.shown_id(),
        time_joined: method.time_joined,
        tenant_ids: wire.users_have_tenant_ids.then_some(&method.tenants),
        email: method.login.email(),
        phone_number: method.login.phone_number(),
        third_party: method.login.third_party().map(third_party),
    }
}

fn third_party(account: &ThirdPartyAccount) -> ThirdPartyBody<'_> {
    ThirdPartyBody { id: &account.id, user_id: &account.user_id }
}

fn credential_ids(login: &Login) -> Option<impl Iterator<Item = &str>> {
    match login {
        Login::Webauthn { credential_ids, .. } => Some(credential_ids.iter().map(String::as_str)),
        Login::EmailPassword { .. } | Login::ThirdParty { .. } | Login::Passwordless { .. } => None,
    }
}
