//! `PUT` and `GET /recipe/jwt/data`: the custom claims as stored.

use super::reply::no_such_session;
use super::{data, show};
use crate::command::session::data::SessionDataChange;
use crate::context::Context;
use crate::domain::json::JsonObject;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
struct PayloadBody {
    status: &'static str,
    #[serde(rename = "userDataInJWT")]
    user_data_in_jwt: JsonObject,
}

pub(super) async fn replace(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let handle = body.string("sessionHandle")?;
    let payload = body.object("userDataInJWT")?;
    let checked_for = call.wire.payload_updates_are_checked.then_some(call.wire.access_token_version);
    data::update(context, call, &handle, SessionDataChange::Payload(payload, checked_for)).await
}

pub(super) async fn show(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    Ok(match show::find(context, call).await? {
        Some(session) => Reply::json(&PayloadBody { status: "OK", user_data_in_jwt: session.user_data_in_jwt }),
        None => no_such_session(),
    })
}
