//! Providers of the path's tenant.

use crate::command::tenancy::{ProviderPut, PutProvider, RemoveProvider};
use crate::context::Context;
use crate::domain::tenancy::Provider;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::{Body, invalid_field};
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PutBody {
    status: &'static str,
    created_new: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RemovedBody {
    status: &'static str,
    did_config_exist: bool,
}

/// A member of the wrong type makes the whole provider invalid.
pub(super) async fn put(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let config = body.object("config")?;
    let id = config.members().get("thirdPartyId").and_then(|id| serde_json::from_str::<String>(id.get()).ok());
    let id = id.ok_or_else(|| invalid_field("thirdPartyId"))?;
    let skip_validation = body.optional_bool("skipValidation")?.unwrap_or_default();
    let mut provider = Provider::parse(config.as_str()).ok_or_else(|| invalid_field("config"))?;
    id.trim().clone_into(&mut provider.third_party_id);
    let command = PutProvider { scope: call.scope()?, tenant: call.tenant.clone(), provider, skip_validation };
    match command.run(context).await? {
        ProviderPut::Ok { created } => Ok(Reply::json(&PutBody { status: "OK", created_new: created })),
        ProviderPut::Invalid(error) => Err(ApiError::bad_request(format!("Invalid third party config: {error}"))),
    }
}

pub(super) async fn remove(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let id = Body::of(&call.request)?.string("thirdPartyId")?.trim().to_owned();
    let command = RemoveProvider { scope: call.scope()?, tenant: call.tenant.clone(), id };
    Ok(Reply::json(&RemovedBody { status: "OK", did_config_exist: command.run(context).await? }))
}
