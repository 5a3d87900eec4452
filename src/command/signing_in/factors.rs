//! Second factors: which ones a person needs and has (protocol: 21, 7).

use crate::command::scope::Scope;
use crate::command::totp::device::ReadDevices;
use crate::config::front::{FrontConfig, FrontRecipe};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::json::Members;
use crate::domain::multifactorauth::{FactorsClaim, is_login_set_up, required_factors};
use crate::domain::user::User;
use crate::fault::Fault;
use crate::state::directory::TenantEntry;
use crate::store::{Tx, usermetadata};

/// The factors that a person needs in a tenant, given by the id that callers see.
///
/// # Errors
/// When the store fails.
pub async fn required_second_factors(
    context: &Context,
    scope: &Scope,
    tenant: &TenantEntry,
    user: &UserId,
) -> Result<Vec<String>, Fault> {
    required(context.store.begin().as_mut(), scope, tenant, user).await
}

async fn required(tx: &mut dyn Tx, scope: &Scope, tenant: &TenantEntry, user: &UserId) -> Result<Vec<String>, Fault> {
    let metadata = usermetadata::get(tx, &scope.app.id, user).await;
    let metadata = metadata.map_err(|error| Fault::new("reading required factors", error))?;
    let metadata = metadata.and_then(|metadata| Members::parse(metadata.as_str()).ok());
    let of_tenant = tenant.own.required_secondary_factors.iter().flatten();
    Ok(required_factors(metadata.as_ref(), of_tenant))
}

/// The claim of a new session, brought up to date with what is required of its user in its tenant; `None` without
/// second factors.
///
/// # Errors
/// When the store fails.
pub async fn claim_with_requirements(
    context: &Context,
    place: (&Scope, &FrontConfig),
    owner: (&TenantEntry, &UserId),
    begun: FactorsClaim,
) -> Result<Option<FactorsClaim>, Fault> {
    with_requirements(context.store.begin().as_mut(), place, owner, begun).await
}

/// The same in a transaction.
///
/// # Errors
/// When the store fails.
pub(super) async fn with_requirements(
    tx: &mut dyn Tx,
    (scope, front): (&Scope, &FrontConfig),
    (tenant, user): (&TenantEntry, &UserId),
    mut begun: FactorsClaim,
) -> Result<Option<FactorsClaim>, Fault> {
    if !front.has(FrontRecipe::MultiFactorAuth) {
        return Ok(None);
    }
    begun.update(&required(tx, scope, tenant, user).await?);
    Ok(Some(begun))
}

/// The second factors that a person has set up, of those that are available.
///
/// # Errors
/// When the store fails.
pub async fn second_factors_of(
    context: &Context,
    scope: &Scope,
    front: &FrontConfig,
    user: &User,
) -> Result<Vec<&'static str>, Fault> {
    let mut set_up = Vec::new();
    for factor in front.available_second_factors() {
        let is_set_up = match factor {
            "totp" => {
                let devices = ReadDevices(scope.clone()).of(context, user.shown_id()).await?;
                devices.iter().any(|device| device.verified)
            }
            _ => is_login_set_up(factor, user),
        };
        if is_set_up {
            set_up.push(factor);
        }
    }
    Ok(set_up)
}
