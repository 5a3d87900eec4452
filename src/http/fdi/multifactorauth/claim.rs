//! The claim of a session that says which factors are complete.

use crate::command::claims::{ClaimsOwner, FACTORS};
use crate::command::session::list::FindSession;
use crate::command::signing_in::{first_factors, required_second_factors, second_factors_of};
use crate::command::user::{FindUser, UserInfo};
use crate::config::front::FrontRecipe;
use crate::context::Context;
use crate::domain::ids::{TenantId, UserId};
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
    let mut claim = read(session).unwrap_or_default();
    claim.complete(factor, context.now());
    require(context, call, session, &mut claim).await?;
    write(context, call, session, &claim).await
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
    let mut claim = match read(session) {
        Some(claim) => claim,
        None => derive(context, call, session).await?,
    };
    let required = require(context, call, session, &mut claim).await?;
    if read(session).as_ref() != Some(&claim) {
        write(context, call, session, &claim).await?;
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
    if !call.front.has(FrontRecipe::MultiFactorAuth) {
        return Ok(None);
    }
    let tenant = tenant(call, &owner.tenant)?;
    let required = required_second_factors(context, &call.scope(), &tenant, &owner.user_id).await?;
    let mut claim = FactorsClaim::default();
    claim.complete(factor, context.now());
    claim.update(&required);
    Ok(Some(claim))
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
    let unsatisfied = claim.unsatisfied(&required);
    let mut why = SetUpRefused::NotNext;
    let mut allowed = Vec::new();
    for factor in factors {
        match multifactorauth::check_set_up(factor, unsatisfied, &set_up) {
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

fn read(session: &LoadedSession) -> Option<FactorsClaim> {
    FactorsClaim::read(&session.claim(FACTORS)?)
}

/// Compares the completed factors with the required ones, which are returned.
async fn require(
    context: &Context,
    call: &FrontCall,
    session: &LoadedSession,
    claim: &mut FactorsClaim,
) -> Result<Vec<String>, FrontError> {
    let tenant = tenant(call, &session.view.handle.tenant)?;
    let user = user_of(context, call, &session.view.recipe_user_id).await?;
    let required = required_second_factors(context, &call.scope(), &tenant, user.user.shown_id()).await?;
    claim.update(&required);
    Ok(required)
}

async fn write(
    context: &Context,
    call: &mut FrontCall,
    session: &mut LoadedSession,
    claim: &FactorsClaim,
) -> Result<(), FrontError> {
    session.set_claim(context, call, FACTORS, claim.to_json()).await
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
    let mut claim = FactorsClaim::default();
    claim.complete(factor, created);
    Ok(claim)
}

async fn user_of(context: &Context, call: &FrontCall, id: &UserId) -> Result<UserInfo, FrontError> {
    FindUser { scope: call.scope(), id: id.clone() }.run(context).await?.ok_or(FrontError::UNAUTHORISED)
}

fn tenant(call: &FrontCall, id: &TenantId) -> Result<Arc<TenantEntry>, FrontError> {
    call.app.tenant(id).ok_or(FrontError::UNAUTHORISED)
}
