//! Code shared by the endpoints of this recipe.

use crate::domain::user::{RecipeId, Recipes};
use crate::http::cdi::input::Query;
use crate::http::error::ApiError;

/// Recipes that callers may name although they have no users.
pub(super) const WITHOUT_USERS: [&str; 13] = [
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

/// The recipes named in `includeRecipeIds`, in any case; all recipes if it is absent.
pub(super) fn recipes(query: Query<'_>) -> Result<Recipes, ApiError> {
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
