//! Removal of tenants, apps and connection URI domains.

use super::shared::{from_base, from_public_app, from_public_tenant};
use crate::command::tenancy::{Removal, RemoveApp, RemoveTenant};
use crate::context::Context;
use crate::domain::ids::{AppId, PUBLIC, TenantId};
use crate::domain::tenancy::{self, IdError};
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

pub(super) async fn tenant(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let tenant = TenantId::new(id(&Body::of(&call.request)?, "tenantId", tenancy::tenant_id)?);
    if tenant.is_public() {
        return Err(ApiError::forbidden("Cannot delete public tenant, use remove app API instead"));
    }
    call.existing_tenant()?;
    if !from_public_tenant(call) {
        return Err(ApiError::forbidden("Only the public tenantId is allowed to delete a tenant"));
    }
    reply(RemoveTenant { app: call.app.id.clone(), tenant }.run(context).await?)
}

pub(super) async fn app(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let app_id = id(&Body::of(&call.request)?, "appId", tenancy::app_id)?;
    if app_id == PUBLIC {
        return Err(ApiError::forbidden("Cannot delete the public app, use remove connection uri domain API instead"));
    }
    call.existing_tenant()?;
    if !from_public_app(call) {
        return Err(ApiError::forbidden("Only the public tenantId and public appId is allowed to delete an app"));
    }
    let id = AppId { connection_uri_domain: call.app.id.connection_uri_domain.clone(), app_id };
    reply(RemoveApp { app: id }.run(context).await?)
}

pub(super) async fn domain(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let is_base = body.string("connectionUriDomain")?.trim().is_empty();
    if is_base {
        return Err(ApiError::forbidden("Cannot delete the default connection uri domain"));
    }
    let domain = id(&body, "connectionUriDomain", tenancy::connection_uri_domain)?;
    call.existing_tenant()?;
    if !from_base(call) {
        return Err(ApiError::forbidden(
            "Only the public tenantId, public appId and default connectionUriDomain is allowed to delete a \
             connectionUriDomain",
        ));
    }
    let id = AppId { connection_uri_domain: domain, app_id: PUBLIC.to_owned() };
    reply(RemoveApp { app: id }.run(context).await?)
}

fn id(body: &Body<'_>, field: &str, read: fn(&str) -> Result<String, IdError>) -> Result<String, ApiError> {
    read(&body.string(field)?).map_err(|error| ApiError::bad_request(error.to_string()))
}

fn reply(gone: Removal) -> Result<Reply, ApiError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Done {
        status: &'static str,
        did_exist: bool,
    }
    match gone {
        Removal::Ok { existed } => Ok(Reply::json(&Done { status: "OK", did_exist: existed })),
        Removal::HasTenants => Err(ApiError::forbidden(
            "Please delete all tenants except the public tenant for this app before calling the delete API",
        )),
        Removal::HasApps => Err(ApiError::forbidden(
            "Please delete all apps except the public appID for this connectionUriDomain before calling the delete \
             API.",
        )),
    }
}
