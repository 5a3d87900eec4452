//! Account linking: several login methods as one user (CDI: account linking).

mod link;
mod primary;
mod unlink;

use crate::command::user::Conflict;
use crate::domain::ids::UserId;
use crate::http::cdi::route::Route;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use crate::route;
use serde::Serialize;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[
    route!(GET "/recipe/accountlinking/user/primary/check", AppStrict403 => primary::check),
    route!(POST "/recipe/accountlinking/user/primary", AppStrict403 => primary::make),
    route!(GET "/recipe/accountlinking/user/link/check", AppStrict403 => link::check),
    route!(POST "/recipe/accountlinking/user/link", AppStrict403 => link::link),
    route!(POST "/recipe/accountlinking/user/unlink", AppStrict403 => unlink::unlink),
];

/// 400 for an id of nobody.
fn unknown_user() -> ApiError {
    ApiError::bad_request("Unknown user ID provided")
}

/// Another primary user is in the way.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InTheWay<'a> {
    status: &'static str,
    primary_user_id: &'a UserId,
    description: &'static str,
}

/// The account info is another primary user's.
fn taken(conflict: &Conflict) -> Reply {
    Reply::json(&InTheWay {
        status: "ACCOUNT_INFO_ALREADY_ASSOCIATED_WITH_ANOTHER_PRIMARY_USER_ID_ERROR",
        primary_user_id: &conflict.primary_user_id,
        description: conflict.info.taken_sentence(),
    })
}
