//! Users across recipes (CDI: users, account linking).

mod active;
mod by_account_info;
mod by_id;
mod count;
mod list;
pub mod object;
mod remove;

use crate::domain::user::{RecipeId, Recipes};
use crate::http::cdi::input::Query;
use crate::http::cdi::route::Route;
use crate::http::error::ApiError;
use crate::route;

/// Routes of this part.
pub const ROUTES: &[Route] = &[
    route!(GET "/user/id", AppStrict403 => by_id::by_id),
    route!(POST "/user/remove", AppStrict403 => remove::remove),
    route!(GET "/users", Tenant => list::list),
    route!(GET "/users/count", Tenant => count::count),
    route!(GET "/users/count/active", AppStrict403 => active::count),
    route!(GET "/users/by-accountinfo", Tenant => by_account_info::by_account_info),
    route!(GET "/user/search/tags", App => list::search_tags_known),
];

/// Recipes that callers may name although they have no users.
const WITHOUT_USERS: [&str; 13] = [
    "session",
    "emailverification",
    "jwt",
    "usermetadata",
    "userroles",
    "useridmapping",
    "dashboard",
    "totp",
    "multitenancy",
    "accountlinking",
    "mfa",
    "oauth",
    "saml",
];

/// The recipes that `includeRecipeIds` names, in any case; all without it.
fn recipes(query: Query<'_>) -> Result<Recipes, ApiError> {
    let named = query.list("includeRecipeIds");
    if named.is_empty() {
        return Ok(Recipes::all());
    }
    let known = named.iter().map(|name| {
        let lower = name.to_lowercase();
        let recipe = RecipeId::ALL.into_iter().find(|recipe| recipe.as_str() == lower);
        match recipe {
            None if !WITHOUT_USERS.contains(&lower.as_str()) => {
                Err(ApiError::bad_request(format!("Unknown recipe ID: {name}")))
            }
            found => Ok(found),
        }
    });
    let found: Result<Vec<Option<RecipeId>>, ApiError> = known.collect();
    Ok(found?.into_iter().flatten().collect())
}
