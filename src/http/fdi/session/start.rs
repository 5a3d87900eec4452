//! A new session for somebody who has signed in (protocol: 20, 3 and 8).

use super::access::{PresentedAccess, access_token, bearer, cookie};
use crate::command::claims::{ClaimsOwner, NewSessionClaims};
use crate::command::hook::ask::is_asked;
use crate::command::session::create::{CreateSession, Created, SessionOptions};
use crate::command::signing_in::SessionStart;
use crate::config::front::{AntiCsrf, SameSite, TokenTransfer};
use crate::context::Context;
use crate::domain::anomaly::Anomaly;
use crate::domain::hook::{HookPoint, Question};
use crate::domain::json::JsonObject;
use crate::domain::multifactorauth::FactorsClaim;
use crate::domain::session::client::Seen;
use crate::domain::session::{AccessTokenVersion, IssuedSession};
use crate::domain::usermetadata::merged;
use crate::fault::Fault;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::hooks;
use crate::http::fdi::tokens::{ACCESS_COOKIE, NewToken};
use crate::http::fdi::watch;
use http::HeaderName;
use std::sync::Arc;

/// Where the client wants to keep tokens.
static AUTH_MODE: HeaderName = HeaderName::from_static("st-auth-mode");

/// Nobody signs in twice within this time, in ms, who sees that it worked.
const JUST_NOW_MS: u64 = 60_000;

/// From this size on, in bytes, tokens are warned of.
const LARGE_TOKEN: usize = 3500;

const INSECURE: &str = "Since your API and website domain are different, for sessions to work, please use https on your \
                        apiDomain and dont set cookieSecure to false.";

/// Starts a session of this user, in the owner's tenant, and hands out its tokens. `factors` are those that are
/// complete, where there are second factors.
///
/// # Errors
/// When browsers would not keep its cookies, a hook refuses, or the store or a key fails.
pub async fn start(
    context: &Context,
    call: &mut FrontCall,
    owner: &ClaimsOwner,
    factors: Option<&FactorsClaim>,
) -> Result<(), FrontError> {
    let transfer = transfer_of_new(call);
    check_cookies(context, call, transfer)?;
    let scope = call.scope();
    let issuer = call.issuer();
    let claims = NewSessionClaims { scope: &scope, front: &call.front, issuer: &issuer, owner, factors };
    let payload = claims.run(context).await?;
    let user = Some((&owner.user_id, &owner.recipe_user_id));
    let question = Question { tenant: &owner.tenant, user, ..hooks::question(call, HookPoint::Token) };
    let added = hooks::ask(context, call, question, Some(&payload)).await??;
    let payload = match added.claims {
        Some(claims) => merged(&payload, &claims),
        None => payload,
    };
    hooks::add_metadata(context, call, &owner.user_id, added.metadata).await?;
    let command = CreateSession {
        scope,
        tenant: owner.tenant.clone(),
        user_id: owner.recipe_user_id.clone(),
        user_data_in_jwt: payload,
        user_data_in_database: JsonObject::empty(),
        options: options(call, transfer),
    };
    let issued = match command.run(context).await? {
        Created::Ok(issued) => issued,
        Created::TooLarge(flaw) => return Err(FrontError::TokenTooLarge(flaw)),
        Created::ProtectedClaim | Created::InvalidAccessTokenValidity { .. } => {
            return Err(Fault::invariant("creating a session with claims of our own").into());
        }
    };
    hand_out_new(context, call, &issued, factors.is_some());
    Ok(())
}

/// The session that begins in the transaction of a sign-in to the call's tenant, with this factor complete and these
/// members for the person's metadata. `None` if it can begin only once that is committed, by [`start`]: a hook is asked
/// about its token, or browsers would not keep its cookies, which is said to those who have signed in.
pub fn start_with(call: &FrontCall, factor: &'static str, metadata: Option<JsonObject>) -> Option<SessionStart> {
    let transfer = transfer_of_new(call);
    if loses_cookies(call, transfer) || is_asked(&call.scope(), HookPoint::Token) {
        return None;
    }
    Some(SessionStart {
        front: Arc::clone(&call.front),
        issuer: call.issuer(),
        tenant: call.app.tenant(&call.tenant)?,
        factor,
        metadata,
        options: options(call, transfer),
    })
}

/// Hands out the tokens of a new session. `has_factors`: whether there are second factors.
pub fn hand_out_new(context: &Context, call: &mut FrontCall, issued: &IssuedSession, has_factors: bool) {
    let transfer = transfer_of_new(call);
    // Second factors are signed in with as well.
    if !has_factors {
        watch_again(context, call);
        watch::signed_in(context, call, &issued.session.user_id, transfer);
    }
    warn_of_size(call, issued.access_token.token.expose().len());
    forget_other_tokens(call, transfer);
    if has_factors {
        // The SDKs note the first factor in a second token, so its cookie comes last.
        hand_out_refresh(call, transfer, issued);
        hand_out_access(context, call, transfer, issued);
    } else {
        hand_out(context, call, transfer, issued);
    }
}

fn options(call: &FrontCall, transfer: TokenTransfer) -> SessionOptions {
    let anti_csrf = call.front.session.anti_csrf_for(call.is_cross_site);
    SessionOptions {
        enable_anti_csrf: anti_csrf == AntiCsrf::Token && transfer == TokenTransfer::Cookie,
        use_dynamic_signing_key: call.front.session.use_dynamic_key,
        access_token_validity_ms: None,
        token_version: AccessTokenVersion::V5,
        max_access_token_bytes: call.rules.max_access_token(transfer),
        client: match call.seen() {
            Seen::Client(client) => Some(client),
            Seen::Nothing | Seen::Unrecorded => None,
        },
    }
}

/// Hands out the tokens of a session that was created or refreshed.
pub(super) fn hand_out(context: &Context, call: &mut FrontCall, transfer: TokenTransfer, issued: &IssuedSession) {
    hand_out_access(context, call, transfer, issued);
    hand_out_refresh(call, transfer, issued);
}

fn hand_out_refresh(call: &mut FrontCall, transfer: TokenTransfer, issued: &IssuedSession) {
    let refresh = NewToken { text: issued.refresh_token.token.expose(), expires: issued.refresh_token.expiry };
    call.tokens.set_refresh(transfer, refresh, &call.rules);
    if let Some(token) = &issued.anti_csrf_token {
        call.tokens.set_anti_csrf(token);
    }
}

fn hand_out_access(context: &Context, call: &mut FrontCall, transfer: TokenTransfer, issued: &IssuedSession) {
    let user = issued.session.user_id.as_str();
    let access = NewToken { text: issued.access_token.token.expose(), expires: issued.access_token.expiry };
    call.tokens.set_access(transfer, user, access, &call.rules, context.now());
}

/// Where to keep the tokens: as configured, or as the client says; clients that say nothing cannot keep cookies.
fn transfer_of_new(call: &FrontCall) -> TokenTransfer {
    let wants_cookies = || call.request.header(&AUTH_MODE).is_some_and(|mode| mode.eq_ignore_ascii_case("cookie"));
    match call.front.session.transfer {
        Some(transfer) => transfer,
        None if wants_cookies() => TokenTransfer::Cookie,
        None => TokenTransfer::Header,
    }
}

/// Browsers refuse cookies for other sites that are not secure, except on this machine.
fn loses_cookies(call: &FrontCall, transfer: TokenTransfer) -> bool {
    let rules = &call.rules;
    let is_refused = transfer == TokenTransfer::Cookie && rules.same_site == SameSite::None && !rules.is_secure;
    let is_local = || {
        let website = call.website();
        call.reached().site() == Some("localhost") && website.is_none_or(|website| website.site() == Some("localhost"))
    };
    is_refused && !is_local()
}

fn check_cookies(context: &Context, call: &FrontCall, transfer: TokenTransfer) -> Result<(), FrontError> {
    if !loses_cookies(call, transfer) {
        return Ok(());
    }
    let website = call.website().map(ToString::to_string);
    watch::note(context, call, Anomaly::SameSiteNoneInsecure, website.as_deref().unwrap_or_default());
    Err(FrontError::Misconfigured(INSECURE))
}

/// Somebody who signs in has just done so, as the browser knows and the page does not.
fn watch_again(context: &Context, call: &FrontCall) {
    let now = context.now();
    let is_new = |access: &PresentedAccess| access.shape.created.plus(JUST_NOW_MS) > now && access.shape.expires > now;
    if access_token(call).is_some_and(|access| access.transfer == TokenTransfer::Cookie && is_new(&access)) {
        watch::note(context, call, Anomaly::SignInUnnoticed, "");
    }
}

/// Says so before browsers lose tokens. In pages, the frontend SDK keeps those of headers in cookies, too.
fn warn_of_size(call: &FrontCall, bytes: usize) {
    if bytes > LARGE_TOKEN {
        let (request, route) = (&call.request.id, call.label);
        tracing::warn!(
            request,
            route,
            bytes,
            "the access token is large: browsers keep at most 4096 bytes in a cookie"
        );
    }
}

/// Clears the tokens that the browser keeps in the other way, if it sent an access token in it.
fn forget_other_tokens(call: &mut FrontCall, transfer: TokenTransfer) {
    let (other, is_sent) = match transfer {
        TokenTransfer::Cookie => (TokenTransfer::Header, bearer(call).is_some()),
        TokenTransfer::Header => (TokenTransfer::Cookie, cookie(call, ACCESS_COOKIE).is_some()),
    };
    if is_sent {
        call.tokens.clear(other, &call.rules);
    }
}
