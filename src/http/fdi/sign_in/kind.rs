//! Whether a sign-in is the first factor of a new session or another one of the session it belongs to (protocol: 21, 1,
//! step 5).

use super::flag::LinkingFlag;
use super::refused::{Reason, Refused};
use crate::command::claims::{EMAIL_VERIFIED, boolean_claim};
use crate::command::signing_in::{Linker, SessionUser};
use crate::command::user::{FindUser, Person, UserInfo};
use crate::config::front::FrontRecipe;
use crate::context::Context;
use crate::domain::json::Json;
use crate::domain::user::front_linking::LinkingRule;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::session::LoadedSession;
use serde_json::json;

const NO_LINKING: &str =
    "Please initialise the account linking recipe and define shouldDoAutomaticAccountLinking to enable MFA";

/// What a sign-in is to the session that it may belong to.
pub(super) enum Kind {
    /// The first factor of a new session.
    First,
    /// Another factor of the session.
    Second {
        /// The session's user; primary, unless the sign-in only asks.
        user: Box<UserInfo>,
        /// Whether the login method is that user's already.
        is_linked: bool,
    },
}

/// What the sign-in is. Makes the session's user primary, unless it `only_asks`. `person` is the user who signs in,
/// `None` at sign-up.
///
/// # Errors
/// 401 for a session whose user is gone, 403 for one whose address has to be verified first, 500 where the settings
/// allow no second login methods.
pub(super) async fn kind(
    context: &Context,
    call: &mut FrontCall,
    (session, flag): (Option<&mut LoadedSession>, LinkingFlag),
    person: Option<&UserInfo>,
    only_asks: bool,
) -> Result<Kind, Refused> {
    let Some(session) = session.filter(|_| flag != LinkingFlag::No) else { return Ok(Kind::First) };
    let rule = call.front.account_linking;
    if rule == LinkingRule::Off {
        let needs_linking = flag == LinkingFlag::Yes || call.front.has(FrontRecipe::MultiFactorAuth);
        return if needs_linking { Err(FrontError::Misconfigured(NO_LINKING).into()) } else { Ok(Kind::First) };
    }
    if let Some(own) = person.filter(|info| *info.user.shown_id() == session.view.user_id) {
        return Ok(Kind::Second { user: Box::new(own.clone()), is_linked: true });
    }
    let linker = Linker { scope: call.scope(), tenant: call.tenant.clone(), rule };
    match linker.session_user(context, &session.view.user_id, only_asks).await? {
        SessionUser::Primary(user) => Ok(Kind::Second { user, is_linked: false }),
        SessionUser::AccountInfoTaken => Err(Refused::Reason(Reason::SessionUserInfoTaken)),
        SessionUser::Gone => Err(FrontError::UNAUTHORISED.into()),
        SessionUser::Unverified => Err(unverified(context, call, session).await?.into()),
    }
}

/// 403: the person has to verify the address first. The claim says so, too, so that the frontend asks for it.
async fn unverified(
    context: &Context,
    call: &mut FrontCall,
    session: &mut LoadedSession,
) -> Result<FrontError, FrontError> {
    let claim = session.claim(EMAIL_VERIFIED);
    let says = claim.as_ref().and_then(|claim| claim.as_object()?.get("v")?.as_bool());
    if says != Some(false) {
        let claim: Json = boolean_claim(false, context.now());
        session.set_claim(context, call, EMAIL_VERIFIED, claim).await?;
    }
    let reason = json!({"message": "wrong value", "expectedValue": true, "actualValue": false});
    Ok(FrontError::invalid_claim(EMAIL_VERIFIED, reason))
}

/// The user of a session.
///
/// # Errors
/// 401 if it is gone.
pub(super) async fn session_user(
    context: &Context,
    call: &FrontCall,
    session: &LoadedSession,
) -> Result<UserInfo, FrontError> {
    let found = FindUser { scope: call.scope(), id: session.view.user_id.clone() }.run(context).await?;
    found.ok_or(FrontError::UNAUTHORISED)
}

/// A person as it is now.
///
/// # Errors
/// 401 if it is gone.
pub(super) async fn reloaded(context: &Context, call: &FrontCall, person: Person) -> Result<Person, FrontError> {
    let Person { recipe_user_id, .. } = person;
    let found = FindUser { scope: call.scope(), id: recipe_user_id.clone() }.run(context).await?;
    Ok(Person { info: found.ok_or(FrontError::UNAUTHORISED)?, recipe_user_id })
}
