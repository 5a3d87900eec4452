//! `PUT` and `GET /recipe/session/data`: the object that is kept only in the store.

use super::reply::{no_such_session, protected_claim};
use super::shared::require_handle_tenant;
use super::show;
use crate::command::session::data::{SessionDataChange, UpdateSession, Updated};
use crate::context::Context;
use crate::domain::json::JsonObject;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DataBody {
    status: &'static str,
    user_data_in_database: JsonObject,
}

pub(super) async fn replace(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let handle = body.string("sessionHandle")?;
    let data = body.object("userDataInDatabase")?;
    update(context, call, &handle, SessionDataChange::Database(data)).await
}

pub(super) async fn show(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    Ok(match show::find(context, call).await? {
        Some(session) => Reply::json(&DataBody { status: "OK", user_data_in_database: session.user_data_in_database }),
        None => no_such_session(),
    })
}

/// Runs an update and builds the reply.
pub(super) async fn update(
    context: &Context,
    call: &Call,
    handle: &str,
    change: SessionDataChange,
) -> Result<Reply, ApiError> {
    require_handle_tenant(call, handle)?;
    let command = UpdateSession { scope: call.scope()?, handle, change };
    match command.run(context).await? {
        Updated::Ok => Ok(Reply::status("OK")),
        Updated::NoSuchSession => Ok(no_such_session()),
        Updated::ProtectedClaim => Err(protected_claim()),
    }
}
