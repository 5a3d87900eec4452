//! `POST /session/refresh` (protocol: 20, 6).

use super::access::{bearer, refresh_token};
use super::shape::{Shape, shape};
use super::start::hand_out;
use crate::command::hook::ask::{HookRefusal, is_asked};
use crate::command::session::refresh::{RefreshSession, Refreshed};
use crate::command::session::refreshable::FindRefreshable;
use crate::command::session::revoke::{RevokeSessions, Which};
use crate::config::front::{AntiCsrf, TokenTransfer};
use crate::context::Context;
use crate::domain::anomaly::Anomaly;
use crate::domain::hook::{HookPoint, Question};
use crate::domain::json::JsonObject;
use crate::domain::session::{AccessTokenVersion, IssuedSession, RefreshPolicy, SessionView};
use crate::http::exchange::Reply;
use crate::http::fdi::call::{FrontCall, RID};
use crate::http::fdi::cookie::Cookies;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::hooks;
use crate::http::fdi::reply;
use crate::http::fdi::tokens::{ACCESS_COOKIE, ANTI_CSRF, LEGACY_COOKIE, REFRESH_COOKIE};
use crate::http::fdi::watch;

const DUPLICATES: &str = "The request contains multiple session cookies. This may happen if you've changed the \
                          'cookieDomain' value in your configuration. To clear tokens from the previous domain, set \
                          'olderCookieDomain' in your config.";

/// A token is new for this long, in ms.
const JUST_MADE_MS: u64 = 30_000;

#[derive(serde::Serialize)]
struct Nothing {}

/// What the cookies of a request say of its session.
pub(super) struct Sent {
    /// What is known of the access token, without a check.
    access: Option<Shape>,
    /// Whether there is a refresh token.
    has_refresh: bool,
    has_legacy: bool,
    /// Which of the two tokens there are several of.
    repeated: Vec<&'static str>,
}

pub(super) async fn refresh(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let (sent, token) = read(call);
    clear_duplicates(context, call, &sent)?;
    let Some((token, transfer)) = token else {
        watch_missing(context, call, &sent);
        forget_legacy(call, &sent);
        return Err(FrontError::UNAUTHORISED);
    };
    let anti_csrf = call.front.session.anti_csrf_for(call.is_cross_site);
    let is_cookie = transfer == TokenTransfer::Cookie;
    if is_cookie && anti_csrf == AntiCsrf::CustomHeader && !call.request.headers.contains_key(&RID) {
        watch::note(context, call, Anomaly::RidMissing, call.label);
        return Err(FrontError::UNAUTHORISED);
    }
    let anti_csrf_token = call.request.header(&ANTI_CSRF).map(str::to_owned);
    let exchange = Exchange {
        token: &token,
        transfer,
        enable_anti_csrf: is_cookie && anti_csrf == AntiCsrf::Token,
        anti_csrf_token: anti_csrf_token.as_deref(),
    };
    match exchange.run(context, call).await {
        Ok(issued) => {
            watch_refreshed(context, call, transfer, &sent);
            forget_other_refresh_token(call, transfer, &sent);
            hand_out(context, call, transfer, &issued);
            forget_legacy(call, &sent);
            Ok(reply::ok(&Nothing {}))
        }
        Err(error) => {
            if error.clears_tokens() {
                forget_legacy(call, &sent);
            }
            Err(error)
        }
    }
}

/// A refresh token that a browser presents.
pub(super) struct Exchange<'a> {
    /// The token.
    pub(super) token: &'a str,
    /// Where the browser keeps it.
    pub(super) transfer: TokenTransfer,
    /// Whether it needs an anti-CSRF token.
    pub(super) enable_anti_csrf: bool,
    /// That token as presented.
    pub(super) anti_csrf_token: Option<&'a str>,
}

impl Exchange<'_> {
    /// Exchanges it for new tokens. A session whose token comes back after it was replaced is ended.
    ///
    /// # Errors
    /// When the session does not go on, or the store or a key fails.
    pub(super) async fn run(&self, context: &Context, call: &FrontCall) -> Result<Box<IssuedSession>, FrontError> {
        let added_claims = ask(context, call, self.token).await?;
        let command = RefreshSession {
            scope: call.scope(),
            refresh_token: self.token,
            anti_csrf_token: self.anti_csrf_token,
            enable_anti_csrf: self.enable_anti_csrf,
            use_dynamic_signing_key: Some(call.front.session.use_dynamic_key),
            access_token_validity_ms: None,
            token_version: AccessTokenVersion::V5,
            max_access_token_bytes: call.rules.max_access_token(self.transfer),
            policy: RefreshPolicy::PromoteWithGrace,
            seen: call.seen(),
            added_claims: added_claims.as_ref(),
        };
        match command.run(context).await? {
            Refreshed::Ok(issued) => Ok(issued),
            Refreshed::TokenTheft { handle, .. } => {
                let which = Which::Handles(vec![handle.to_string()]);
                RevokeSessions { scope: call.scope(), which }.run(context).await?;
                Err(FrontError::TokenTheftDetected)
            }
            Refreshed::TooLarge(flaw) => Err(FrontError::TokenTooLarge(flaw)),
            Refreshed::Unauthorised { .. } | Refreshed::InvalidAccessTokenValidity { .. } => {
                Err(FrontError::UNAUTHORISED)
            }
        }
    }
}

/// Asks the hook whether the session may go on; returns the claims that it adds. A session that may not is ended.
///
/// # Errors
/// 401 if it may not go on, 503 if the hook did not answer.
async fn ask(context: &Context, call: &FrontCall, token: &str) -> Result<Option<JsonObject>, FrontError> {
    if !is_asked(&call.scope(), HookPoint::Token) {
        return Ok(None);
    }
    let found = FindRefreshable { scope: call.scope(), refresh_token: token }.run(context).await?;
    // What cannot be refreshed is nothing to ask about.
    let Some(SessionView { handle, user_id, recipe_user_id, user_data_in_jwt }) = found else { return Ok(None) };
    let question = Question {
        tenant: &handle.tenant,
        user: Some((&user_id, &recipe_user_id)),
        begins_session: false,
        session: Some(&handle),
        ..hooks::question(call, HookPoint::Token)
    };
    match hooks::ask(context, call, question, Some(&user_data_in_jwt)).await? {
        Ok(added) => {
            hooks::add_metadata(context, call, &user_id, added.metadata).await?;
            Ok(added.claims)
        }
        Err(HookRefusal::Refused(_)) => {
            let which = Which::Handles(vec![handle.to_string()]);
            RevokeSessions { scope: call.scope(), which }.run(context).await?;
            Err(FrontError::UNAUTHORISED)
        }
        Err(HookRefusal::Unanswered) => Err(FrontError::Unanswered),
    }
}

/// Reads the cookies, and the refresh token that counts with where it was.
pub(super) fn read(call: &FrontCall) -> (Sent, Option<(String, TokenTransfer)>) {
    let cookies = Cookies::of(&call.request.headers);
    let [access, refresh, legacy] = cookies.find([ACCESS_COOKIE, REFRESH_COOKIE, LEGACY_COOKIE]);
    let tokens = [(ACCESS_COOKIE, access), (REFRESH_COOKIE, refresh)];
    let sent = Sent {
        access: access.value().and_then(|token| shape(&token)),
        has_refresh: refresh.value().is_some(),
        has_legacy: legacy.value().is_some(),
        repeated: tokens.into_iter().filter(|(_, token)| token.is_repeated()).map(|(name, _)| name).collect(),
    };
    (sent, refresh_token(call, refresh))
}

/// Of two cookies with one name, nobody can tell which is the newer one. Those of an earlier domain are cleared, so
/// that the next request has one.
pub(super) fn clear_duplicates(context: &Context, call: &mut FrontCall, sent: &Sent) -> Result<(), FrontError> {
    if call.front.session.transfer == Some(TokenTransfer::Header) || sent.repeated.is_empty() {
        return Ok(());
    }
    let Some(domain) = call.front.session.older_cookie_domain.clone() else {
        watch::note(context, call, Anomaly::DuplicateCookies, "");
        return Err(FrontError::Misconfigured(DUPLICATES));
    };
    let rules = call.rules.with_domain(domain);
    sent.repeated.iter().for_each(|name| call.tokens.clear_cookie(&rules, name));
    Err(FrontError::ClearedDuplicateCookies)
}

/// Why a page that believes that it is signed in may come without a refresh token.
fn watch_missing(context: &Context, call: &FrontCall, sent: &Sent) {
    let validity_ms = call.app.config.refresh_token_validity_ms;
    // Where the refresh token has expired, its cookie is gone for good reason.
    let is_path = sent.access.is_some_and(|access| access.created.plus(validity_ms) > context.now());
    if is_path {
        return watch::note(context, call, Anomaly::RefreshCookieMissing, "");
    }
    watch::has_no_token(context, call);
}

/// Frontends refresh when an access token has expired or is refused.
fn watch_refreshed(context: &Context, call: &FrontCall, transfer: TokenTransfer, sent: &Sent) {
    if transfer == TokenTransfer::Header {
        return watch::refreshed_page(context, call);
    }
    watch::has_token(context, call);
    let Some(access) = sent.access else { return };
    let (now, half) = (context.now(), call.app.config.access_token_validity_ms / 2);
    if access.created.plus(JUST_MADE_MS) > now && access.expires > now.plus(half) {
        watch::note(context, call, Anomaly::RefreshTooEarly, "");
    }
}

pub(super) fn forget_legacy(call: &mut FrontCall, sent: &Sent) {
    if sent.has_legacy {
        call.tokens.clear_cookie(&call.rules, LEGACY_COOKIE);
    }
}

/// Clears the tokens that the browser keeps in the other way, if it sent a refresh token in it.
fn forget_other_refresh_token(call: &mut FrontCall, transfer: TokenTransfer, sent: &Sent) {
    let (other, is_sent) = match transfer {
        TokenTransfer::Cookie => (TokenTransfer::Header, bearer(call).is_some()),
        TokenTransfer::Header => (TokenTransfer::Cookie, sent.has_refresh),
    };
    if is_sent {
        call.tokens.clear(other, &call.rules);
    }
}
