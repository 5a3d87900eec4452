//! Which token of a request counts, and where it was (protocol: 20, 3.3).

use super::shape::{Shape, shape};
use crate::config::front::TokenTransfer;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::cookie::{Cookies, FoundCookie};
use crate::http::fdi::tokens::ACCESS_COOKIE;
use http::header::AUTHORIZATION;
use std::borrow::Cow;

/// The access token of a request.
pub(super) struct PresentedAccess {
    /// The token.
    pub(super) token: String,
    /// Where it was.
    pub(super) transfer: TokenTransfer,
    /// What it says of itself.
    pub(super) shape: Shape,
}

/// The bearer token of a request.
pub(super) fn bearer(call: &FrontCall) -> Option<&str> {
    call.request.header(&AUTHORIZATION)?.strip_prefix("Bearer ").map(str::trim)
}

/// A cookie of a request.
pub(super) fn cookie<'r>(call: &'r FrontCall, name: &str) -> Option<Cow<'r, str>> {
    Cookies::of(&call.request.headers).get(name)
}

/// The access token: from the header if that holds something that can be one, otherwise from the cookie. Where only one
/// of the two is allowed, the other is not looked at.
pub(super) fn access_token(call: &FrontCall) -> Option<PresentedAccess> {
    access_token_or(call, || cookie(call, ACCESS_COOKIE))
}

/// The same where the cookie has been read already.
pub(super) fn access_token_or<'r>(
    call: &FrontCall,
    cookie: impl FnOnce() -> Option<Cow<'r, str>>,
) -> Option<PresentedAccess> {
    let allowed = call.front.session.transfer;
    let read = |transfer: TokenTransfer, token: Option<Cow<'_, str>>| {
        let token = token.filter(|_| allowed.is_none_or(|allowed| allowed == transfer))?;
        let shape = shape(&token)?;
        Some(PresentedAccess { token: token.into_owned(), transfer, shape })
    };
    read(TokenTransfer::Header, bearer(call).map(Cow::Borrowed)).or_else(|| read(TokenTransfer::Cookie, cookie()))
}

/// The refresh token: any bearer token counts before the cookie.
pub(super) fn refresh_token(call: &FrontCall, cookie: FoundCookie<'_>) -> Option<(String, TokenTransfer)> {
    let allowed = call.front.session.transfer;
    if let Some(token) = bearer(call).filter(|_| allowed != Some(TokenTransfer::Cookie)) {
        return Some((token.to_owned(), TokenTransfer::Header));
    }
    let token = cookie.value().filter(|token| !token.is_empty());
    let token = token.filter(|_| allowed != Some(TokenTransfer::Header))?;
    Some((token.into_owned(), TokenTransfer::Cookie))
}
