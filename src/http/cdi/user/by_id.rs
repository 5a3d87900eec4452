//! `GET /user/id`. The Node and Python SDKs call it before they create a session, and use an unknown id as it is.

use super::object::UserObject;
use crate::command::user::FindUser;
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Query;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
struct UserBody<'a> {
    status: &'static str,
    user: UserObject<'a>,
}

/// Always answers with the whole user, at every version.
pub(super) async fn by_id(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let id = UserId::new(Query::of(&call.request).required("userId")?);
    let Some(info) = (FindUser { scope: call.scope()?, id }).run(context).await? else {
        return Ok(Reply::status("UNKNOWN_USER_ID_ERROR"));
    };
    Ok(Reply::json(&UserBody { status: "OK", user: UserObject::whole(&info, call.wire) }))
}
