//! The emailpassword recipe.

mod find;
mod import;
mod reset;
mod sign_in;
mod sign_up;
mod update;

use crate::command::emailpassword::{Account, Person};
use crate::domain::ids::UserId;
use crate::domain::tenancy::Recipe;
use crate::domain::user::normalise_email;
use crate::http::cdi::call::Call;
use crate::http::cdi::emailverification::require_storable;
use crate::http::cdi::route::Route;
use crate::http::cdi::user::object::UserObject;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use crate::route;
use serde::Serialize;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[
    route!(POST "/recipe/signup", Tenant => sign_up::sign_up),
    route!(POST "/recipe/signin", Tenant => sign_in::sign_in),
    route!(POST "/recipe/user/password/reset/token", Tenant => reset::create),
    route!(POST "/recipe/user/password/reset/token/consume", Tenant => reset::consume),
    route!(POST "/recipe/user/password/reset", Tenant => reset::reset),
    // Other recipes share this path by their `rid`.
    route!(GET "/recipe/user", App => find::find),
    route!(PUT "/recipe/user", AppStrict403 => update::update),
    route!(POST "/recipe/user/passwordhash/import", Tenant => import::import),
];

/// A person, and before it the login method that was meant.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PersonBody<'a> {
    status: &'static str,
    user: UserObject<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipe_user_id: Option<&'a UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    did_user_already_exist: Option<bool>,
}

impl<'a> PersonBody<'a> {
    fn of(person: &'a Person, call: &Call) -> Self {
        let user = UserObject::of(&person.info, &person.recipe_user_id, call.wire);
        Self { status: "OK", user, recipe_user_id: None, did_user_already_exist: None }
    }
}

/// A person who has signed up or in.
fn signed_in(person: &Person, call: &Call) -> Reply {
    let shown = person.info.user.shown(&person.recipe_user_id);
    let recipe_user_id = call.wire.users_have_login_methods.then_some(shown);
    Reply::json(&PersonBody { recipe_user_id, ..PersonBody::of(person, call) })
}

/// The account with this address in the path's tenant.
fn account(call: &Call, email: &str) -> Result<Account, ApiError> {
    Ok(Account { scope: call.scope()?, tenant: call.tenant.clone(), email: normalise_email(email) })
}

/// The same where the recipe must be switched on, and the address may be stored.
fn new_account(call: &Call, email: &str) -> Result<Account, ApiError> {
    let account = account(call, email)?;
    call.require_recipe(Recipe::EmailPassword)?;
    require_storable(&account.email)?;
    Ok(account)
}

fn require_password(password: &str) -> Result<(), ApiError> {
    if password.is_empty() {
        return Err(ApiError::bad_request("Password cannot be an empty string"));
    }
    Ok(())
}
