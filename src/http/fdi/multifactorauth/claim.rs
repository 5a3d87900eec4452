//! The claim of a session that says which factors are complete.

use crate::command::claims::{ClaimsOwner, FACTORS};
use crate::command::session::list::FindSession;
use crate::command::signing_in::{claim_with_requirements, first_factors, required_second_factors, second_factors_of};
use crate::command::user::{FindUser, UserInfo};
use crate::config::front::FrontRecipe;
use crate::context::Context;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::json::Json;
use crate::domain::multifactorauth::{self, FactorsClaim, SetUpRefused, first_factors_of};
use crate::domain::user::User;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::session::LoadedSession;
use crate::state::directory::TenantEntry;
use serde_json::{Value, json};
use std::sync::Arc;

/// The factors of a session.
pub struct SessionFactors {
    /// Those that are complete.
    pub claim: FactorsClaim,
    /// Those that are required; one of them has to be complete.
    pub required: Vec<String>,
}

/// Notes that a factor of a session is complete; does nothing without second factors. The session gets a new access
/// token even when the claim says the same, which a client may wait for.
///
/// # Errors
/// 401 for a session whose user, tenant or row is gone.
pub async fn complete(
    context: &Context,
    call: &mut FrontCall,
    session: &mut LoadedSession,
    factor: &str,
) -> Result<(), FrontError> {
    if !call.front.has(FrontRecipe::MultiFactorAuth) {
        return Ok(());
    }
    let begun = current(context, call, session).await?;
    let required = required(context, call, session).await?;
    let now = context.now();
    write(context, call, session, &|stored| {
        let mut claim = stored.unwrap_or_else(|| begun.clone());
        claim.complete(factor, now);
        claim.update(&required);
        claim
    })
    .await
}

/// Brings the claim of a session up to date: what is required may have changed. Sessions from before second factors get
/// one.
///
/// # Errors
/// 401 for a session whose user, tenant or row is gone.
pub async fn refresh(
    context: &Context,
    call: &mut FrontCall,
    session: &mut LoadedSession,
) -> Result<SessionFactors, FrontError> {
    let mut claim = current(context, call, session).await?;
    let required = required(context, call, session).await?;
    claim.update(&required);
    if read(session.claim(FACTORS).as_ref()).as_ref() != Some(&claim) {
        let begun = claim.clone();
        write(context, call, session, &|stored| {
            let mut claim = stored.unwrap_or_else(|| begun.clone());
            claim.update(&required);
            claim
        })
        .await?;
        claim = read(session.claim(FACTORS).as_ref()).unwrap_or(claim);
    }
    Ok(SessionFactors { claim, required })
}

/// The claim of a session that begins with this factor; `None` without second factors.
///
/// # Errors
/// When the store fails.
pub async fn claim_of_new_session(
    context: &Context,
    call: &FrontCall,
    owner: &ClaimsOwner,
    factor: &str,
) -> Result<Option<FactorsClaim>, FrontError> {
    updated(context, call, owner, FactorsClaim::begun_with(factor, context.now())).await
}

/// The claim of the session that replaces this one, because its login method belongs to another person now; `None`
/// without second factors. It has the factor with which the session began, and no other: those were shown for devices
/// and login methods of the user that the login method had before.
///
/// # Errors
/// 401 for a session whose user or tenant is gone.
pub async fn claim_of_replacement(
    context: &Context,
    call: &FrontCall,
    owner: &ClaimsOwner,
    session: &LoadedSession,
) -> Result<Option<FactorsClaim>, FrontError> {
    let info = user_of(context, call, &owner.recipe_user_id).await?;
    let mut methods = info.user.methods.iter();
    let method = methods.find(|method| *method.shown_id() == owner.recipe_user_id).ok_or(FrontError::UNAUTHORISED)?;
    let claim = read(session.claim(FACTORS).as_ref()).unwrap_or_default();
    let begun = claim.with_one_of(first_factors_of(&method.login)).unwrap_or_default();
    updated(context, call, owner, begun).await
}

/// The claim with what is required of the owner; `None` without second factors.
async fn updated(
    context: &Context,
    call: &FrontCall,
    owner: &ClaimsOwner,
    claim: FactorsClaim,
) -> Result<Option<FactorsClaim>, FrontError> {
    if !call.front.has(FrontRecipe::MultiFactorAuth) {
        return Ok(None);
    }
    let tenant = tenant(call, &owner.tenant)?;
    let place = (&call.scope(), &*call.front);
    Ok(claim_with_requirements(context, place, (&tenant, &owner.user_id), claim).await?)
}

/// Those of the factors that the session's user may set up now; at least one.
///
/// # Errors
/// 403 with the claim if none may be; 401 as for [`refresh`].
pub async fn check_set_up(
    context: &Context,
    call: &mut FrontCall,
    session: &mut LoadedSession,
    user: &User,
    factors: &[&'static str],
) -> Result<Vec<&'static str>, FrontError> {
    let SessionFactors { claim, required } = refresh(context, call, session).await?;
    let set_up = second_factors_of(context, &call.scope(), &call.front, user).await?;
    let mut why = SetUpRefused::NotNext;
    let mut allowed = Vec::new();
    for factor in factors {
        match multifactorauth::check_set_up(factor, &claim, &required, &set_up) {
            Ok(()) => allowed.push(*factor),
            Err(refused) => why = refused,
        }
    }
    if allowed.is_empty() {
        return Err(FrontError::invalid_claim(FACTORS, Value::from(why.sentence())));
    }
    Ok(allowed)
}

/// 403: a factor that is required has not been completed.
#[must_use]
pub fn unmet() -> FrontError {
    FrontError::invalid_claim(FACTORS, json!({"message": "MFA requirement for auth is not satisfied"}))
}

fn read(claim: Option<&Json>) -> Option<FactorsClaim> {
    FactorsClaim::read(claim?)
}

/// The claim as it is stored: an application may have taken factors away since the token was minted.
async fn current(context: &Context, call: &FrontCall, session: &LoadedSession) -> Result<FactorsClaim, FrontError> {
    match read(session.stored_claim(FACTORS).as_ref()) {
        Some(claim) => Ok(claim),
        None => derive(context, call, session).await,
    }
}

/// The factors that are required in a session.
async fn required(context: &Context, call: &FrontCall, session: &LoadedSession) -> Result<Vec<String>, FrontError> {
    let tenant = tenant(call, &session.view.handle.tenant)?;
    let user = user_of(context, call, &session.view.recipe_user_id).await?;
    Ok(required_second_factors(context, &call.scope(), &tenant, user.user.shown_id()).await?)
}

async fn write(
    context: &Context,
    call: &mut FrontCall,
    session: &mut LoadedSession,
    change: &(dyn Fn(Option<FactorsClaim>) -> FactorsClaim + Sync),
) -> Result<(), FrontError> {
    session.change_claim(context, call, FACTORS, &|stored| change(read(stored)).to_json()).await
}

/// The claim of a session that began without one: its login method was the first factor.
async fn derive(context: &Context, call: &FrontCall, session: &LoadedSession) -> Result<FactorsClaim, FrontError> {
    let view = &session.view;
    let info = user_of(context, call, &view.recipe_user_id).await?;
    let handle = view.handle.to_string();
    let found = FindSession { scope: call.scope(), handle: &handle }.run(context).await?;
    let created = found.ok_or(FrontError::UNAUTHORISED)?.time_created;
    let first = first_factors(&*tenant(call, &view.handle.tenant)?, &call.front);
    let mut methods = info.user.methods.iter();
    let method = methods.find(|method| *method.shown_id() == view.recipe_user_id).ok_or(FrontError::UNAUTHORISED)?;
    let mut factors = first_factors_of(&method.login).iter();
    let factor = factors.find(|factor| first.iter().any(|first| first == *factor)).ok_or(FrontError::UNAUTHORISED)?;
    Ok(FactorsClaim::begun_with(factor, created))
}

async fn user_of(context: &Context, call: &FrontCall, id: &UserId) -> Result<UserInfo, FrontError> {
    FindUser { scope: call.scope(), id: id.clone() }.run(context).await?.ok_or(FrontError::UNAUTHORISED)
}

fn tenant(call: &FrontCall, id: &TenantId) -> Result<Arc<TenantEntry>, FrontError> {
    call.app.tenant(id).ok_or(FrontError::UNAUTHORISED)
}
