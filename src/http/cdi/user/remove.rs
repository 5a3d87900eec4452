//! `POST /user/remove`.

use crate::command::user::delete::{DeleteUser, Extent};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;

/// Answers OK even for an id that belongs to no user.
pub(super) async fn remove(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let id = UserId::new(body.string("userId")?);
    let all = body.optional_bool("removeAllLinkedAccounts")?.unwrap_or(true);
    let extent = if all { Extent::Group } else { Extent::Method };
    DeleteUser { scope: call.scope()?, id, extent }.run(context).await?;
    Ok(Reply::status("OK"))
}
