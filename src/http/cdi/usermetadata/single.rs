//! `GET` and `PUT /recipe/user/metadata`, and `POST /recipe/user/metadata/remove`.

use crate::command::usermetadata::{ReadMetadata, RemoveMetadata, UpdateMetadata};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::json::JsonObject;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::{Body, Query};
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
struct MetadataBody {
    status: &'static str,
    metadata: JsonObject,
}

fn noted(metadata: JsonObject) -> Reply {
    Reply::json(&MetadataBody { status: "OK", metadata })
}

pub(super) async fn show(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let user_id = UserId::new(Query::of(&call.request).required("userId")?);
    let command = ReadMetadata { scope: call.scope()? };
    Ok(noted(command.of(context, &user_id).await?.unwrap_or_else(JsonObject::empty)))
}

pub(super) async fn update(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let user_id = UserId::new(body.string("userId")?);
    let update = body.object("metadataUpdate")?;
    let command = UpdateMetadata { scope: call.scope()?, user_id, update };
    Ok(noted(command.run(context).await?))
}

pub(super) async fn remove(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let user_id = UserId::new(Body::of(&call.request)?.string("userId")?);
    let command = RemoveMetadata { scope: call.scope()?, user_id };
    command.run(context).await?;
    Ok(Reply::status("OK"))
}
