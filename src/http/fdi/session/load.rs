//! The session of a request (protocol: 20, 5).

use super::access::{PresentedAccess, access_token_or};
use crate::command::session::list::FindPayload;
use crate::command::session::regenerate::{NewPayload, RegenerateAccessToken, Regenerated};
use crate::command::session::verify::{Verified, VerifySession};
use crate::config::front::{AntiCsrf, TokenTransfer};
use crate::context::Context;
use crate::domain::anomaly::Anomaly;
use crate::domain::json::{Json, JsonObject, Members};
use crate::domain::session::{IssuedToken, RefreshPolicy, SessionView};
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::http::fdi::call::{FrontCall, RID};
use crate::http::fdi::cookie::Cookies;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::tokens::{ACCESS_COOKIE, ANTI_CSRF, LEGACY_COOKIE, NewToken};
use crate::http::fdi::watch;
use http::Method;
use std::sync::Arc;

/// How far clocks may be apart, in ms.
const CLOCK_TOLERANCE_MS: u64 = 60_000;

/// The session of a request.
pub struct LoadedSession {
    /// The session, with the payload that now holds.
    pub view: Arc<SessionView>,
    /// The payload that is stored for it, if that was looked up.
    stored: Option<JsonObject>,
    /// Its access token: the presented one, or one that was minted since.
    access_token: String,
    /// Where the browser keeps it.
    transfer: TokenTransfer,
}

/// The session of a request that needs one.
///
/// # Errors
/// When there is none, it has ended, or its token is not valid any more.
pub async fn required(context: &Context, call: &mut FrontCall) -> Result<LoadedSession, FrontError> {
    optional(context, call).await?.ok_or(FrontError::NO_SESSION)
}

/// The session of a request that may have one. A token that is not valid any more is refused all the same: the browser
/// refreshes, and sends the request again. So is that of a session that has ended: whoever was signed out everywhere
/// because a thief had a token must not find the thief's login method or authenticator app afterwards.
///
/// # Errors
/// When the session has ended, or its token is not valid any more.
pub async fn optional(context: &Context, call: &mut FrontCall) -> Result<Option<LoadedSession>, FrontError> {
    let Some(session) = optional_presented(context, call).await? else { return Ok(None) };
    let found = FindPayload { app: &call.app, handle: &session.view.handle }.run(context).await?;
    let stored = Some(found.ok_or(FrontError::UNAUTHORISED)?);
    Ok(Some(LoadedSession { stored, ..session }))
}

/// The session that the access token of a request is of, which may have ended. For routes that write nothing but through
/// the session.
///
/// # Errors
/// When there is none, or its token is not valid any more.
pub async fn presented(context: &Context, call: &mut FrontCall) -> Result<LoadedSession, FrontError> {
    optional_presented(context, call).await?.ok_or(FrontError::NO_SESSION)
}

/// The same for a request that may have one.
///
/// # Errors
/// When its token is not valid any more.
pub async fn optional_presented(context: &Context, call: &mut FrontCall) -> Result<Option<LoadedSession>, FrontError> {
    let look = Look { method: &call.request.method, check_database: false, policy: RefreshPolicy::PromoteWithGrace };
    let Some((presented, found)) = look.at(context, call).await? else { return Ok(None) };
    let transfer = presented.transfer;
    let mut session = LoadedSession { view: found.view, stored: None, access_token: presented.token, transfer };
    if let Some(token) = found.renewed {
        session.renew(context, call, &token);
        // As from the SDKs, the client gets back the anti-CSRF token that it has.
        if let Some(anti_csrf) = call.request.header(&ANTI_CSRF) {
            call.tokens.set_anti_csrf(anti_csrf);
        }
    }
    Ok(Some(session))
}

/// The session of a request that somebody else answers: it is read, and neither promoted nor given another token.
pub struct Inspected {
    /// The session, with the payload of the token.
    pub view: Arc<SessionView>,
    /// The token.
    pub access_token: String,
    /// When it expires.
    pub expires: UnixMillis,
    /// Where it was.
    pub transfer: TokenTransfer,
}

/// The session of a request with this method, which somebody else answers; `None` if it has no token. With
/// `check_database` the session is looked up, and a token whose refresh token has been replaced twice is not valid.
///
/// # Errors
/// When the token is not valid any more, or the session has ended.
pub async fn inspect(
    context: &Context,
    call: &FrontCall,
    method: &Method,
    check_database: bool,
) -> Result<Option<Inspected>, FrontError> {
    let look = Look { method, check_database, policy: RefreshPolicy::RotateOnRefresh };
    let Some((presented, found)) = look.at(context, call).await? else { return Ok(None) };
    let PresentedAccess { token: access_token, transfer, shape } = presented;
    Ok(Some(Inspected { view: found.view, access_token, expires: shape.expires, transfer }))
}

/// How the access token of a request is looked at.
struct Look<'a> {
    /// The request's method.
    method: &'a Method,
    /// Whether to look up the session.
    check_database: bool,
    /// What the first use of a token does.
    policy: RefreshPolicy,
}

/// A session whose token is valid.
struct Found {
    view: Arc<SessionView>,
    /// A newer token, if its first use has led to one.
    renewed: Option<IssuedToken>,
}

impl Look<'_> {
    async fn at(&self, context: &Context, call: &FrontCall) -> Result<Option<(PresentedAccess, Found)>, FrontError> {
        let Some(presented) = self.presented(context, call)? else { return Ok(None) };
        let is_checked = presented.transfer == TokenTransfer::Cookie && *self.method != Method::GET;
        let anti_csrf = call.front.session.anti_csrf_for(call.is_cross_site);
        let command = VerifySession {
            scope: call.scope(),
            access_token: &presented.token,
            anti_csrf_token: call.request.header(&ANTI_CSRF),
            do_anti_csrf_check: is_checked && anti_csrf == AntiCsrf::Token,
            enable_anti_csrf: anti_csrf == AntiCsrf::Token,
            check_database: self.check_database,
            policy: self.policy,
        };
        match command.run(context).await? {
            Verified::Ok { session: view, access_token: renewed, .. } => Ok(Some((presented, Found { view, renewed }))),
            Verified::Unauthorised(_) => Err(FrontError::UNAUTHORISED),
            Verified::TryRefreshToken(_) => Err(FrontError::TryRefreshToken),
        }
    }

    /// The token, unless what is around it speaks against it.
    fn presented(&self, context: &Context, call: &FrontCall) -> Result<Option<PresentedAccess>, FrontError> {
        let [legacy, access] = Cookies::of(&call.request.headers).find([LEGACY_COOKIE, ACCESS_COOKIE]);
        if legacy.value().is_some() {
            return Err(FrontError::TryRefreshToken);
        }
        let is_repeated = access.is_repeated();
        let Some(presented) = access_token_or(call, || access.value()) else { return Ok(None) };
        watch::has_token(context, call);
        let is_cookie = presented.transfer == TokenTransfer::Cookie;
        if presented.shape.created > context.now().plus(CLOCK_TOLERANCE_MS) {
            watch::note(context, call, Anomaly::ClocksApart, "");
        }
        if is_cookie && is_repeated {
            watch::note(context, call, Anomaly::DuplicateCookies, "");
            return Err(FrontError::TryRefreshToken);
        }
        let anti_csrf = call.front.session.anti_csrf_for(call.is_cross_site);
        let needs_rid = is_cookie && *self.method != Method::GET && anti_csrf == AntiCsrf::CustomHeader;
        if needs_rid && !call.request.headers.contains_key(&RID) {
            watch::note(context, call, Anomaly::RidMissing, call.label);
            return Err(FrontError::TryRefreshToken);
        }
        if presented.shape.has_dynamic_key != call.front.session.use_dynamic_key {
            return Err(FrontError::TryRefreshToken);
        }
        Ok(Some(presented))
    }
}

impl LoadedSession {
    /// Where the browser keeps the session's tokens.
    #[must_use]
    pub const fn transfer(&self) -> TokenTransfer {
        self.transfer
    }

    /// The value of a claim in its access token.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<Json> {
        claim_of(&self.view.user_data_in_jwt, name)
    }

    /// The value of a claim as it is stored, which an application may have changed since the token was minted; that of
    /// the token where nothing was looked up.
    #[must_use]
    pub fn stored_claim(&self, name: &str) -> Option<Json> {
        claim_of(self.stored.as_ref().unwrap_or(&self.view.user_data_in_jwt), name)
    }

    /// Gives a claim this value in the session and in its access token, which the reply hands out. If the token has
    /// expired meanwhile, only the session changes.
    ///
    /// # Errors
    /// When the session has ended, or the store fails.
    pub async fn set_claim(
        &mut self,
        context: &Context,
        call: &mut FrontCall,
        name: &'static str,
        value: Json,
    ) -> Result<(), FrontError> {
        self.change_claim(context, call, name, &|_| value.clone()).await
    }

    /// The same with a value that depends on the stored one, which is `None` where there is none.
    ///
    /// # Errors
    /// As for [`set_claim`](Self::set_claim).
    pub async fn change_claim(
        &mut self,
        context: &Context,
        call: &mut FrontCall,
        name: &'static str,
        value: &(dyn Fn(Option<&Json>) -> Json + Sync),
    ) -> Result<(), FrontError> {
        let command = RegenerateAccessToken {
            scope: call.scope(),
            access_token: &self.access_token,
            payload: NewPayload::Claim(name, value),
            check_protected_claims: true,
            max_access_token_bytes: call.rules.max_access_token(self.transfer),
        };
        match command.run(context).await? {
            Regenerated::Ok { session, access_token } => {
                self.stored = Some(session.user_data_in_jwt.clone());
                self.view = Arc::new(session);
                if let Some(token) = access_token {
                    self.renew(context, call, &token);
                }
                Ok(())
            }
            Regenerated::TooLarge(flaw) => Err(FrontError::TokenTooLarge(flaw)),
            // With a payload that no token can have, refreshing is refused in the same way.
            Regenerated::Unauthorised(_) | Regenerated::ProtectedClaim => Err(FrontError::UNAUTHORISED),
            Regenerated::Unparsable => Err(Fault::invariant("parsing a token that was just verified").into()),
        }
    }

    /// Hands out a newer access token.
    fn renew(&mut self, context: &Context, call: &mut FrontCall, token: &IssuedToken) {
        let new = NewToken { text: token.token.expose(), expires: token.expiry };
        let user = self.view.user_id.as_str();
        call.tokens.set_access(self.transfer, user, new, &call.rules, context.now());
        token.token.expose().clone_into(&mut self.access_token);
    }
}

fn claim_of(payload: &JsonObject, name: &str) -> Option<Json> {
    Members::parse(payload.as_str()).ok()?.get(name).cloned()
}
