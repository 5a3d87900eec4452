//! Refreshes of page loads: browsers load many pages at once.

use super::access::cookie;
use super::refresh::{Exchange, clear_duplicates, forget_legacy, read};
use super::start::hand_out;
use crate::command::session::list::FindPayload;
use crate::config::front::TokenTransfer;
use crate::context::Context;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::tokens::REFRESH_COOKIE;
use std::sync::Arc;

/// Who exchanged the refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedRefresh {
    /// This page load.
    First,
    /// Another one, just now.
    Later,
}

/// Refreshes the session of a page load, whose tokens are in cookies, and hands out its tokens. Of many page loads with
/// one refresh token, one exchanges it, and all get the same tokens, for as long as a replaced token is understood.
///
/// The request must be known to come from no foreign page: a page load cannot send an anti-CSRF header.
///
/// # Errors
/// When the session does not go on, or the store or a key fails.
pub async fn refresh_shared(context: &Context, call: &mut FrontCall) -> Result<SharedRefresh, FrontError> {
    let (sent, _) = read(call);
    clear_duplicates(context, call, &sent)?;
    forget_legacy(call, &sent);
    let allowed = call.front.session.transfer != Some(TokenTransfer::Header);
    let token = cookie(call, REFRESH_COOKIE).filter(|token| allowed && !token.is_empty());
    let token = token.ok_or(FrontError::UNAUTHORISED)?.into_owned();
    let turn = context.shared_refreshes.turn(call.app.serial, &token).await;
    let grace_ms = call.app.config.refresh_token_rotation_grace_period_ms;
    if let Some(issued) = turn.exchanged(grace_ms, context.steady()) {
        drop(turn);
        let found = FindPayload { app: &call.app, handle: &issued.session.handle }.run(context).await?;
        found.ok_or(FrontError::UNAUTHORISED)?;
        hand_out(context, call, TokenTransfer::Cookie, &issued);
        return Ok(SharedRefresh::Later);
    }
    let transfer = TokenTransfer::Cookie;
    let exchange = Exchange { token: &token, transfer, enable_anti_csrf: false, anti_csrf_token: None };
    let issued: Arc<_> = exchange.run(context, call).await?.into();
    turn.finish(Arc::clone(&issued), context.steady());
    hand_out(context, call, transfer, &issued);
    Ok(SharedRefresh::First)
}
