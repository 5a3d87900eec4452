//! Code shared by the endpoints of this recipe.

use crate::command::emailpassword::{Account, Person};
use crate::domain::ids::UserId;
use crate::domain::tenancy::Recipe;
use crate::domain::user::normalise_email;
use crate::http::cdi::call::Call;
use crate::http::cdi::emailverification::shared::require_storable;
use crate::http::cdi::user::object::UserObject;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

/// A person, preceded by the login method that the request concerned.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PersonBody<'a> {
    pub(super) status: &'static str,
    pub(super) user: UserObject<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recipe_user_id: Option<&'a UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) did_user_already_exist: Option<bool>,
}

impl<'a> PersonBody<'a> {
    pub(super) fn of(person: &'a Person, call: &Call) -> Self {
        let user = UserObject::of(&person.info, &person.recipe_user_id, call.wire);
        Self { status: "OK", user, recipe_user_id: None, did_user_already_exist: None }
    }
}

/// The reply for a person who has signed up or in.
pub(super) fn signed_in(person: &Person, call: &Call) -> Reply {
    let shown = person.info.user.shown(&person.recipe_user_id);
    let recipe_user_id = call.wire.users_have_login_methods.then_some(shown);
    Reply::json(&PersonBody { recipe_user_id, ..PersonBody::of(person, call) })
}

/// The account with this address in the path's tenant.
pub(super) fn account(call: &Call, email: &str) -> Result<Account, ApiError> {
    Ok(Account { scope: call.scope()?, tenant: call.tenant.clone(), email: normalise_email(email) })
}

/// The same, but the recipe must be switched on and the address must be storable.
pub(super) fn new_account(call: &Call, email: &str) -> Result<Account, ApiError> {
    let account = account(call, email)?;
    call.require_recipe(Recipe::EmailPassword)?;
    require_storable(&account.email)?;
    Ok(account)
}

pub(super) fn require_password(password: &str) -> Result<(), ApiError> {
    if password.is_empty() {
        return Err(ApiError::bad_request("Password cannot be an empty string"));
    }
    Ok(())
}
