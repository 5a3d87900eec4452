//! Apps and tenants: the tasks about them.

use crate::command::tenancy::transfer::{ExportApp, ImportApp, OnTransferProgress};
use crate::command::tenancy::{PutTenant, PutTenantOutcome, Removal, RemoveApp, RemoveTenant, providers};
use crate::command::user::count::CountUsers;
use crate::config::settings;
use crate::context::Context;
use crate::control::task_context::{TaskContext, entry, failed, scope};
use crate::control::{NewTenant, PlainSecret, WantedImport, WorkProgress};
use crate::domain::ids::{AppId, PUBLIC, TenantId};
use crate::domain::tenancy::{TenantChange, check_factors, tenant_id};
use crate::domain::user::Recipes;
use crate::state::directory::{AppEntry, TenantEntry};
use crate::state::key::MasterKey;
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// What is shown in place of a masked value.
const MASKED: &str = "********";

pub(super) fn apps(context: &Context) -> Value {
    let rows: Vec<Value> = context.directory.apps().iter().map(|entry| app_row(entry)).collect();
    json!({ "apps": rows })
}

fn app_row(entry: &AppEntry) -> Value {
    json!({
        "appId": entry.id.app_id,
        "connectionUriDomain": entry.id.connection_uri_domain,
        "tenants": entry.tenant_count(),
    })
}

/// An app with its own settings, and the number of its users.
pub(super) async fn app(context: &Context, id: &AppId) -> Result<Value, String> {
    let found = entry(context, id)?;
    let mut shown = app_row(&found);
    let tenant = tenant(context, id, PUBLIC).await?;
    if let (Some(shown), Some(tenant)) = (shown.as_object_mut(), tenant.as_object()) {
        let of_tenant = ["firstFactors", "requiredSecondaryFactors", "providers", "coreConfig"];
        shown.extend(of_tenant.iter().filter_map(|name| Some(((*name).to_owned(), tenant.get(*name)?.clone()))));
        let scope = scope(context, id, None, "sessiond apps show")?;
        let users = CountUsers { scope, tenant: None, recipes: Recipes::all() }.run(context).await.map_err(failed)?;
        shown.insert("users".to_owned(), json!(users));
    }
    Ok(shown)
}

pub(super) fn tenants(context: &Context, id: &AppId) -> Result<Value, String> {
    let rows: Vec<Value> = entry(context, id)?.tenants().iter().map(|tenant| tenant_row(tenant)).collect();
    Ok(json!({ "tenants": rows }))
}

fn tenant_row(tenant: &TenantEntry) -> Value {
    json!({
        "tenantId": tenant.id,
        "firstFactors": tenant.own.shown_first_factors(),
        "requiredSecondaryFactors": tenant.own.required_secondary_factors,
    })
}

/// A tenant with its own settings, its providers, and the number of its users.
pub(super) async fn tenant(context: &Context, id: &AppId, name: &str) -> Result<Value, String> {
    let scope = scope(context, id, Some(name), "sessiond tenants show")?;
    let tenant = TenantId::new(name);
    let Some(found) = scope.app.tenant(&tenant) else { return Err(format!("there is no tenant {name} in this app")) };
    let mut shown = tenant_row(&found);
    let known = providers(context, id, Some(&tenant)).await.map_err(failed)?.remove(&tenant).unwrap_or_default();
    let names: Vec<&str> = known.iter().map(|provider| provider.third_party_id.as_str()).collect();
    let counting = CountUsers { scope, tenant: Some(tenant), recipes: Recipes::all() };
    let users = counting.run(context).await.map_err(failed)?;
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("providers".to_owned(), json!(names));
        shown.insert("coreConfig".to_owned(), Value::Object(own_settings(&found)));
        shown.insert("users".to_owned(), json!(users));
    }
    Ok(shown)
}

/// A tenant's own settings, with secrets masked.
fn own_settings(tenant: &TenantEntry) -> Map<String, Value> {
    let mut own = tenant.own.core_config.to_map().unwrap_or_default();
    for (key, value) in &mut own {
        if !value.is_null() && settings::find(key).is_none_or(|setting| setting.secret) {
            *value = json!(MASKED);
        }
    }
    own
}

/// Creates an app, or a tenant of an existing one.
pub(super) async fn create(
    context: &Context,
    id: AppId,
    tenant: Option<String>,
    new: NewTenant,
) -> Result<Value, String> {
    let tenant = match tenant {
        Some(name) => TenantId::new(tenant_id(&name).map_err(|error| error.to_string())?),
        None => TenantId::public(),
    };
    let list = |field, list: Option<Vec<String>>| list.map(|list| check_factors(field, list).map(Some)).transpose();
    let change = TenantChange::Factors {
        first: list("firstFactors", new.first_factors).map_err(|error| error.to_string())?,
        required_secondary: list("requiredSecondaryFactors", new.required_secondary_factors)
            .map_err(|error| error.to_string())?,
    };
    let core_config = Some(new.core_config.into_map());
    let put = PutTenant {
        app: id.clone(),
        tenant: tenant.clone(),
        change,
        core_config,
        may_change_protected: true,
        only_new: true,
    };
    match put.run(context).await.map_err(failed)? {
        PutTenantOutcome::Ok { .. } => Ok(json!({ "appId": id.app_id, "tenantId": tenant, "created": true })),
        PutTenantOutcome::Exists if tenant.is_public() => Err(format!("the app {} already exists", id.app_id)),
        PutTenantOutcome::Exists => Err(format!("the tenant {} already exists", tenant.as_str())),
        PutTenantOutcome::Invalid(sentence) => Err(sentence),
        PutTenantOutcome::Protected => Err("these settings are protected".to_owned()),
        PutTenantOutcome::UnknownApp => Err(entry(context, &id).err().unwrap_or_default()),
    }
}

/// Deletes an app with everything in it, including its other tenants if requested.
pub(super) async fn delete_app(context: &Context, id: AppId, with_tenants: bool) -> Result<Value, String> {
    if id == AppId::base() {
        return Err("the public app of an installation cannot be deleted".to_owned());
    }
    if with_tenants && let Some(entry) = context.directory.app(&id) {
        for tenant in entry.tenants().iter().filter(|tenant| !tenant.id.is_public()) {
            RemoveTenant { app: id.clone(), tenant: tenant.id.clone() }.run(context).await.map_err(failed)?;
        }
    }
    match (RemoveApp { app: id.clone() }).run(context).await.map_err(failed)? {
        Removal::Ok { existed } => Ok(json!({ "appId": id.app_id, "existed": existed })),
        Removal::HasTenants => Err(format!("the app {} has other tenants: --with-tenants deletes them too", id.app_id)),
        Removal::HasApps => Err("this connection URI domain has other apps: delete them first".to_owned()),
    }
}

pub(super) async fn delete_tenant(context: &Context, id: AppId, tenant: String) -> Result<Value, String> {
    entry(context, &id)?;
    let tenant = TenantId::new(tenant);
    if tenant.is_public() {
        return Err("the public tenant is deleted with its app: \"sessiond apps delete\"".to_owned());
    }
    match (RemoveTenant { app: id, tenant: tenant.clone() }).run(context).await.map_err(failed)? {
        Removal::Ok { existed } => Ok(json!({ "tenantId": tenant, "existed": existed })),
        Removal::HasTenants | Removal::HasApps => Err("it could not be deleted".to_owned()),
    }
}

/// Writes an archive of an app.
pub(super) async fn export(
    tasks: &TaskContext<'_>,
    id: AppId,
    to: PathBuf,
    key: Option<PlainSecret>,
    plain: bool,
) -> Result<Value, String> {
    entry(tasks.context, &id)?;
    let name = id.app_id.clone();
    let command = ExportApp { app: id, to: to.clone(), key: archive_key(key)?, plain };
    let done = command.run(tasks.context, on_progress(tasks)).await.map_err(|error| error.to_string())?;
    let count: u64 = done.records.values().sum();
    Ok(json!({
        "appId": name,
        "archive": to.display().to_string(),
        "bytes": done.bytes,
        "sealed": done.sealed,
        "count": count,
        "records": done.records,
    }))
}

pub(super) async fn import(tasks: &TaskContext<'_>, wanted: WantedImport) -> Result<Value, String> {
    let WantedImport { from, as_id, domain, key } = wanted;
    let key = archive_key(key)?;
    let command = ImportApp { from, as_id, domain, key, served: tasks.served };
    let done = command.run(tasks.context, on_progress(tasks)).await.map_err(|error| error.to_string())?;
    let count: u64 = done.records.values().sum();
    Ok(json!({
        "appId": done.app.app_id,
        "connectionUriDomain": done.app.connection_uri_domain,
        "count": count,
        "records": done.records,
    }))
}

fn archive_key(key: Option<PlainSecret>) -> Result<Option<MasterKey>, String> {
    let key = key.map(|key| MasterKey::new(key.into_secret().expose())).transpose();
    key.map_err(|_| "the key for the archive is too short: at least 32 characters".to_owned())
}

fn on_progress(tasks: &TaskContext<'_>) -> OnTransferProgress {
    let report = Arc::clone(&tasks.report);
    Arc::new(move |doing, done, total| report(WorkProgress { doing: doing.to_owned(), done, total }))
}
