//! Users as frontends see them (protocol: 21, 2).

use super::version::FdiVersion;
use crate::command::user::Person;
use crate::domain::ids::UserId;
use crate::domain::time::UnixMillis;
use crate::http::cdi::user::object::UserObject;
use crate::http::cdi::version::{CdiVersion, Wire};
use serde::Serialize;

/// A user as shown to a frontend.
#[derive(Serialize)]
#[serde(untagged)]
pub enum FrontUser<'a> {
    /// With all login methods.
    Whole(UserObject<'a>),
    /// To frontends from before account linking: the user's id with one login method.
    Legacy(LegacyUser<'a>),
}

/// One login method under the user's id.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LegacyUser<'a> {
    id: &'a UserId,
    time_joined: UnixMillis,
    #[serde(skip_serializing_if = "Option::is_none")]
    third_party: Option<LegacyThirdParty<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LegacyThirdParty<'a> {
    id: &'a str,
    user_id: &'a str,
}

/// The reply for a person who has signed up or in by one and the same request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedBody<'a> {
    status: &'static str,
    /// Under its newer name, or its older one.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_new_recipe_user: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_new_user: Option<bool>,
    user: FrontUser<'a>,
}

impl<'a> CreatedBody<'a> {
    /// The person, and whether they have signed up.
    #[must_use]
    pub fn of(person: &'a Person, created: bool, version: FdiVersion) -> Self {
        let is_new = version.users_have_login_methods;
        Self {
            status: "OK",
            created_new_recipe_user: is_new.then_some(created),
            created_new_user: (!is_new).then_some(created),
            user: FrontUser::of(person, version),
        }
    }

    /// The same with the newer name in every version, next to the older one.
    #[must_use]
    pub fn under_both_names(person: &'a Person, created: bool, version: FdiVersion) -> Self {
        Self { created_new_recipe_user: Some(created), ..Self::of(person, created, version) }
    }
}

impl<'a> FrontUser<'a> {
    /// The person who has signed in.
    #[must_use]
    pub fn of(person: &'a Person, version: FdiVersion) -> Self {
        let user = &person.info.user;
        let used = user.method(&person.recipe_user_id).or_else(|| user.methods.first());
        match used {
            Some(method) if !version.users_have_login_methods => Self::Legacy(LegacyUser {
                id: user.shown_id(),
                time_joined: user.time_joined(),
                third_party: method
                    .login
                    .third_party()
                    .map(|account| LegacyThirdParty { id: &account.id, user_id: &account.user_id }),
                email: method.login.email(),
                phone_number: method.login.phone_number(),
            }),
            _ => Self::Whole(UserObject::whole(&person.info, Wire::of(CdiVersion::LATEST))),
        }
    }
}
