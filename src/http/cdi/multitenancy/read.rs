//! GET of one tenant and of lists.

use super::shape::{self, TenantBody, View};
use super::shared::{from_base, from_public_app, from_public_tenant};
use crate::command::tenancy::providers;
use crate::context::Context;
use crate::http::cdi::call::Call;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use crate::state::directory::AppEntry;
use serde::Serialize;

pub(super) async fn tenant_v2(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    one(context, call, &View::second_generation(context, call)).await
}

pub(super) async fn tenant(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    one(context, call, &View::first_generation(context, call)).await
}

/// The reply for an unknown tenant, including one of an unknown app.
pub(super) fn tenant_not_found() -> Reply {
    Reply::status("TENANT_NOT_FOUND_ERROR")
}

async fn one(context: &Context, call: &Call, view: &View) -> Result<Reply, ApiError> {
    #[derive(Serialize)]
    struct Found {
        status: &'static str,
        #[serde(flatten)]
        tenant: TenantBody,
    }
    let Some(entry) = call.app.tenant(&call.tenant) else { return Ok(tenant_not_found()) };
    let providers = providers(context, &call.app.id, Some(&entry.id)).await?.remove(&entry.id).unwrap_or_default();
    Ok(Reply::json(&Found { status: "OK", tenant: view.tenant(&entry, &providers) }))
}

pub(super) async fn tenants_v2(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    all_tenants(context, call, &View::second_generation(context, call)).await
}

pub(super) async fn tenants(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    all_tenants(context, call, &View::first_generation(context, call)).await
}

async fn all_tenants(context: &Context, call: &Call, view: &View) -> Result<Reply, ApiError> {
    #[derive(Serialize)]
    struct List {
        status: &'static str,
        tenants: Vec<TenantBody>,
    }
    call.existing_tenant()?;
    if !from_public_tenant(call) {
        return Err(ApiError::forbidden(
            "Only the public tenantId is allowed to list all tenants associated with this app",
        ));
    }
    Ok(Reply::json(&List { status: "OK", tenants: view.tenants(context, &call.app).await? }))
}

pub(super) async fn apps_v2(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    all_apps(context, call, &View::second_generation(context, call)).await
}

pub(super) async fn apps(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    all_apps(context, call, &View::first_generation(context, call)).await
}

async fn all_apps(context: &Context, call: &Call, view: &View) -> Result<Reply, ApiError> {
    #[derive(Serialize)]
    struct List {
        status: &'static str,
        apps: Vec<shape::AppBody>,
    }
    call.existing_tenant()?;
    if !from_public_app(call) {
        return Err(ApiError::forbidden(
            "Only the public tenantId and public appId is allowed to list all apps associated with this connection \
             uri domain",
        ));
    }
    let entries = context.directory.apps_of(&call.app.id.connection_uri_domain);
    Ok(Reply::json(&List { status: "OK", apps: view.apps(context, &entries).await? }))
}

pub(super) async fn domains_v2(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    all_domains(context, call, &View::second_generation(context, call)).await
}

pub(super) async fn domains(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    all_domains(context, call, &View::first_generation(context, call)).await
}

async fn all_domains(context: &Context, call: &Call, view: &View) -> Result<Reply, ApiError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct List {
        status: &'static str,
        connection_uri_domains: Vec<shape::DomainBody>,
    }
    call.existing_tenant()?;
    if !from_base(call) {
        return Err(ApiError::forbidden(
            "Only the public tenantId, public appId and default connectionUriDomain is allowed to list all \
             connectionUriDomains and appIds associated with this core",
        ));
    }
    let apps = context.directory.apps();
    let same_domain = |a: &std::sync::Arc<AppEntry>, b: &std::sync::Arc<AppEntry>| {
        a.id.connection_uri_domain == b.id.connection_uri_domain
    };
    let mut domains = Vec::new();
    for apps in apps.chunk_by(same_domain) {
        domains.push(view.domain(context, apps).await?);
    }
    Ok(Reply::json(&List { status: "OK", connection_uri_domains: domains }))
}
