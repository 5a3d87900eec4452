//! PUT of tenants, apps and connection URI domains: create or update.

use super::shared::{from_public_app, from_public_tenant, may_touch_protected};
use crate::command::tenancy::{PutTenant, PutTenantOutcome};
use crate::context::Context;
use crate::domain::ids::{AppId, PUBLIC, TenantId};
use crate::domain::tenancy::{self, Factors, IdError, Switches, TenantChange};
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;
use serde_json::{Map, Value};

const NOT_THIS_APP: &str = "You must use the public or same app to add/update an app";
const NOT_THIS_TENANT: &str = "You must use the public or same tenant to add/update a tenant";
const NOT_THIS_DOMAIN: &str =
    "You must use the default or same connectionUriDomain to create/update a connectionUriDomain";

/// The generation of the interface that a request uses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Generation {
    First,
    Second,
}

pub(super) async fn tenant_v2(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    put_tenant(context, call, Generation::Second).await
}

pub(super) async fn tenant(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    put_tenant(context, call, Generation::First).await
}

pub(super) async fn app_v2(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    put_app(context, call, Generation::Second).await
}

pub(super) async fn app(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    put_app(context, call, Generation::First).await
}

pub(super) async fn domain_v2(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    put_domain(context, call, Generation::Second).await
}

pub(super) async fn domain(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    put_domain(context, call, Generation::First).await
}

async fn put_tenant(context: &Context, call: &Call, generation: Generation) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let tenant = optional_id(&body, "tenantId", tenancy::tenant_id)?.map_or_else(TenantId::public, TenantId::new);
    call.existing_tenant()?;
    let core_config = body.optional_map("coreConfig")?;
    let change = change(&body, call, generation)?;
    let allowed = from_public_tenant(call) || tenant == call.tenant;
    let sentence = if tenant.is_public() { NOT_THIS_APP } else { NOT_THIS_TENANT };
    let target = Target { app: call.app.id.clone(), tenant };
    put(context, call, target, (change, core_config), Permission { allowed, sentence }).await
}

async fn put_app(context: &Context, call: &Call, generation: Generation) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let app_id = optional_id(&body, "appId", tenancy::app_id)?.unwrap_or_else(|| PUBLIC.to_owned());
    call.existing_tenant()?;
    let core_config = body.optional_map("coreConfig")?;
    let change = change(&body, call, generation)?;
    let id = AppId { connection_uri_domain: call.app.id.connection_uri_domain.clone(), app_id };
    let allowed = from_public_app(call) || (from_public_tenant(call) && id == call.app.id);
    let target = Target { app: id, tenant: TenantId::public() };
    put(context, call, target, (change, core_config), Permission { allowed, sentence: NOT_THIS_APP }).await
}

async fn put_domain(context: &Context, call: &Call, generation: Generation) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let domain = optional_id(&body, "connectionUriDomain", tenancy::connection_uri_domain)?.unwrap_or_default();
    call.existing_tenant()?;
    let core_config = body.optional_map("coreConfig")?;
    let change = change(&body, call, generation)?;
    let own_domain = &call.app.id.connection_uri_domain;
    let allowed = from_public_app(call) && (own_domain.is_empty() || *own_domain == domain);
    let id = AppId { connection_uri_domain: domain, app_id: PUBLIC.to_owned() };
    let target = Target { app: id, tenant: TenantId::public() };
    put(context, call, target, (change, core_config), Permission { allowed, sentence: NOT_THIS_DOMAIN }).await
}

struct Target {
    app: AppId,
    tenant: TenantId,
}

/// Whether the caller may make the change, and the sentence for the refusal.
struct Permission {
    allowed: bool,
    sentence: &'static str,
}

/// Checks the permission, then makes the change.
async fn put(
    context: &Context,
    call: &Call,
    target: Target,
    (change, core_config): (TenantChange, Option<Map<String, Value>>),
    permission: Permission,
) -> Result<Reply, ApiError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Done {
        status: &'static str,
        created_new: bool,
    }
    if !permission.allowed {
        return Err(ApiError::forbidden(permission.sentence));
    }
    let Target { app: id, tenant } = target;
    let (domain, app_id) = (id.connection_uri_domain.clone(), id.app_id.clone());
    let may_change_protected = may_touch_protected(context, call);
    match (PutTenant { app: id, tenant, change, core_config, may_change_protected, only_new: false })
        .run(context)
        .await?
    {
        PutTenantOutcome::Ok { created } => Ok(Reply::json(&Done { status: "OK", created_new: created })),
        PutTenantOutcome::Exists => Ok(Reply::json(&Done { status: "OK", created_new: false })),
        PutTenantOutcome::Invalid(sentence) => Err(ApiError::bad_request(sentence)),
        PutTenantOutcome::Protected => Err(ApiError::forbidden("Not allowed to modify protected configs.")),
        PutTenantOutcome::UnknownApp => Err(ApiError::unknown_tenant(&domain, &app_id, PUBLIC)),
    }
}

fn optional_id(
    body: &Body<'_>,
    field: &str,
    read: fn(&str) -> Result<String, IdError>,
) -> Result<Option<String>, ApiError> {
    let written = body.optional_string(field)?;
    written.map(|id| read(&id)).transpose().map_err(|error| ApiError::bad_request(error.to_string()))
}

/// The recipes and factors in the body.
fn change(body: &Body<'_>, call: &Call, generation: Generation) -> Result<TenantChange, ApiError> {
    if generation == Generation::Second {
        let first_generation_only = [
            ("emailPasswordEnabled", "emailPasswordEnabled"),
            ("thirdPartyEnabled", "thirdParty"),
            ("passwordlessEnabled", "passwordless"),
        ];
        if let Some((_, name)) = first_generation_only.into_iter().find(|(field, _)| body.has(field)) {
            return Err(ApiError::bad_request(format!("{name} is not a valid input for this API")));
        }
        let first = factors(body, "firstFactors")?;
        return Ok(TenantChange::Factors { first, required_secondary: factors(body, "requiredSecondaryFactors")? });
    }
    let switches = Switches {
        email_password: body.optional_bool("emailPasswordEnabled")?,
        third_party: body.optional_bool("thirdPartyEnabled")?,
        passwordless: body.optional_bool("passwordlessEnabled")?,
    };
    if !call.wire.tenants_have_factors {
        return Ok(TenantChange::Switches(switches));
    }
    let first = not_empty(factors(body, "firstFactors")?, "firstFactors", "first factors")?;
    let required_secondary = factors(body, "requiredSecondaryFactors")?;
    let required_secondary = not_empty(required_secondary, "requiredSecondaryFactors", "required secondary factors")?;
    Ok(TenantChange::SwitchesAndFactors { switches, first, required_secondary })
}

/// A list of factors: absent, `null`, or present.
fn factors(body: &Body<'_>, field: &str) -> Result<Option<Option<Factors>>, ApiError> {
    if body.is_null(field) {
        return Ok(Some(None));
    }
    let Some(list) = body.optional_strings(field)? else { return Ok(None) };
    let set = tenancy::check_factors(field, list).map_err(|error| ApiError::bad_request(error.to_string()))?;
    Ok(Some(Some(set)))
}

fn not_empty(list: Option<Option<Factors>>, field: &str, what: &str) -> Result<Option<Option<Factors>>, ApiError> {
    match &list {
        Some(Some(set)) if set.is_empty() => {
            Err(ApiError::bad_request(format!("{field} cannot be empty. Set null instead to remove all {what}.")))
        }
        _ => Ok(list),
    }
}
