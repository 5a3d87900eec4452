//! `POST /recipe/accountlinking/user/unlink`.

use super::shared::unknown_user;
use crate::command::user::linking::{AccountUnlinked, UnlinkAccount};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UnlinkedBody {
    status: &'static str,
    was_recipe_user_deleted: bool,
    was_linked: bool,
}

pub(super) async fn unlink(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let id = UserId::new(Body::of(&call.request)?.string("recipeUserId")?);
    match (UnlinkAccount { scope: call.scope()?, id }).run(context).await? {
        AccountUnlinked::UnknownUser => Err(unknown_user()),
        AccountUnlinked::Ok { deleted, was_linked } => {
            Ok(Reply::json(&UnlinkedBody { status: "OK", was_recipe_user_deleted: deleted, was_linked }))
        }
    }
}
