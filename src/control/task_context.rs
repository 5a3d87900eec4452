//! What the operator's tasks need and share.

use crate::command::scope::{Cause, Scope};
use crate::context::Context;
use crate::control::Report;
use crate::domain::ids::{AppId, PUBLIC, TenantId};
use crate::fault::Fault;
use crate::state::directory::AppEntry;
use std::sync::Arc;

/// What tasks work with.
pub struct TaskContext<'a> {
    /// What every command is run with.
    pub context: &'a Context,
    /// Called with the progress of long work.
    pub report: Report,
    /// Whether requests are answered meanwhile.
    pub served: bool,
}

/// The app, after checking that the tenant exists if one is named.
pub(super) fn scope(context: &Context, id: &AppId, tenant: Option<&str>, call: &'static str) -> Result<Scope, String> {
    let entry = entry(context, id)?;
    if let Some(tenant) = tenant
        && entry.tenant(&TenantId::new(tenant)).is_none()
    {
        return Err(format!("there is no tenant {tenant} in this app"));
    }
    Ok(Scope { app: entry, cause: Cause::without_request(call) })
}

/// The app that an operator named.
pub(super) fn entry(context: &Context, id: &AppId) -> Result<Arc<AppEntry>, String> {
    context.directory.app(id).ok_or_else(|| match (id.connection_uri_domain.as_str(), id.app_id.as_str()) {
        ("", PUBLIC) => "the public app is missing from the store".to_owned(),
        ("", name) => format!("there is no app {name}; --app takes an app id as in the path after /appid-"),
        (domain, name) => format!("there is no app {name} in the connection URI domain {domain}"),
    })
}

/// The operator may see the chain of causes: it holds no secrets.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn failed(fault: Fault) -> String {
    fault.chain()
}
