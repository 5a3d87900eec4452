//! GET of one tenant and of lists.

use super::shape::{self, View};
use super::{from_base, from_public_app, from_public_tenant};
use crate::app::App;
use crate::command::tenancy::AppEntry;
use crate::http::cdi::Call;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;
use serde_json::Value;

pub(super) async fn tenant_v2(app: &App, call: &Call) -> Result<Reply, ApiError> {
    Ok(one(call, &View::second_generation(app, call)))
}

pub(super) async fn tenant(app: &App, call: &Call) -> Result<Reply, ApiError> {
    Ok(one(call, &View::first_generation(app, call)))
}

/// The reply for an unknown tenant, also of an unknown app.
pub(super) fn tenant_not_found() -> Reply {
    Reply::status("TENANT_NOT_FOUND_ERROR")
}

fn one(call: &Call, view: &View) -> Reply {
    #[derive(Serialize)]
    struct Found {
        status: &'static str,
        #[serde(flatten)]
        tenant: Value,
    }
    match call.app.tenant(&call.tenant) {
        Some(entry) => Reply::json(&Found { status: "OK", tenant: view.tenant(&entry) }),
        None => tenant_not_found(),
    }
}

pub(super) async fn tenants_v2(app: &App, call: &Call) -> Result<Reply, ApiError> {
    all_tenants(call, &View::second_generation(app, call))
}

pub(super) async fn tenants(app: &App, call: &Call) -> Result<Reply, ApiError> {
    all_tenants(call, &View::first_generation(app, call))
}

fn all_tenants(call: &Call, view: &View) -> Result<Reply, ApiError> {
    #[derive(Serialize)]
    struct List {
        status: &'static str,
        tenants: Vec<Value>,
    }
    call.existing_tenant()?;
    if !from_public_tenant(call) {
        return Err(ApiError::forbidden(
            "Only the public tenantId is allowed to list all tenants associated with this app",
        ));
    }
    Ok(Reply::json(&List { status: "OK", tenants: view.tenants(&call.app) }))
}

pub(super) async fn apps_v2(app: &App, call: &Call) -> Result<Reply, ApiError> {
    all_apps(app, call, &View::second_generation(app, call))
}

pub(super) async fn apps(app: &App, call: &Call) -> Result<Reply, ApiError> {
    all_apps(app, call, &View::first_generation(app, call))
}

fn all_apps(app: &App, call: &Call, view: &View) -> Result<Reply, ApiError> {
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
    let entries = app.directory.apps_of(&call.app.id.connection_uri_domain);
    Ok(Reply::json(&List { status: "OK", apps: entries.iter().map(|entry| view.app(entry)).collect() }))
}

pub(super) async fn domains_v2(app: &App, call: &Call) -> Result<Reply, ApiError> {
    all_domains(app, call, &View::second_generation(app, call))
}

pub(super) async fn domains(app: &App, call: &Call) -> Result<Reply, ApiError> {
    all_domains(app, call, &View::first_generation(app, call))
}

fn all_domains(app: &App, call: &Call, view: &View) -> Result<Reply, ApiError> {
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
    let apps = app.directory.apps();
    let same_domain = |a: &std::sync::Arc<AppEntry>, b: &std::sync::Arc<AppEntry>| {
        a.id.connection_uri_domain == b.id.connection_uri_domain
    };
    let domains = apps.chunk_by(same_domain).map(|apps| view.domain(apps)).collect();
    Ok(Reply::json(&List { status: "OK", connection_uri_domains: domains }))
}
