//! The claims of a new token, written straight into its text.

use super::{NewAccessToken, has_protected_claim};
use crate::crypto::access_token::MintError;
use crate::domain::json::put_text;
use crate::domain::session::AccessTokenVersion;
use crate::domain::time::UnixMillis;
use std::fmt::Write as _;

/// The JSON of a token's claims: ours first, then the caller's in the caller's order.
///
/// Nested layouts keep the caller's claims apart, so no name can collide there: data that a caller of an old version
/// stored unchecked must not end the session when its next token is due.
pub(super) fn claims(token: &NewAccessToken<'_>) -> Result<String, MintError> {
    if token.version.is_flat() && has_protected_claim(token.version, token.user_data) {
        return Err(MintError::ProtectedClaim);
    }
    let mut json = String::with_capacity(640 + token.user_data.as_str().len());
    match token.version {
        AccessTokenVersion::V1 | AccessTokenVersion::V2 => nested(&mut json, token),
        AccessTokenVersion::V3 | AccessTokenVersion::V4 | AccessTokenVersion::V5 => flat(&mut json, token),
    }
    Ok(json)
}

/// The moment in the precision of this layout: whole seconds from version 3 on.
pub(super) fn moment(version: AccessTokenVersion, at: UnixMillis) -> UnixMillis {
    if version >= AccessTokenVersion::V3 { at.floor_to_second() } else { at }
}

fn nested(json: &mut String, token: &NewAccessToken<'_>) {
    json.push_str(r#"{"sessionHandle":"#);
    put_text(json, &token.handle.to_string());
    json.push_str(r#","userId":"#);
    put_text(json, token.user_id.as_str());
    put(json, format_args!(r#","refreshTokenHash1":"{}""#, token.refresh_token_hash_1.to_hex()));
    put(json, format_args!(r#","userData":{}"#, token.user_data.as_str()));
    if let Some(hash) = token.parent_refresh_token_hash_1 {
        put(json, format_args!(r#","parentRefreshTokenHash1":"{}""#, hash.to_hex()));
    }
    if let Some(anti_csrf) = token.anti_csrf_token {
        json.push_str(r#","antiCsrfToken":"#);
        put_text(json, anti_csrf);
    }
    put(json, format_args!(r#","expiryTime":{},"timeCreated":{}}}"#, token.expiry.0, token.created.0));
}

fn flat(json: &mut String, token: &NewAccessToken<'_>) {
    put(json, format_args!(r#"{{"iat":{},"exp":{},"sub":"#, token.created.seconds(), token.expiry.seconds()));
    put_text(json, token.user_id.as_str());
    if token.version >= AccessTokenVersion::V4 {
        json.push_str(r#","tId":"#);
        put_text(json, token.handle.tenant.as_str());
    }
    if token.version >= AccessTokenVersion::V5 {
        json.push_str(r#","rsub":"#);
        put_text(json, token.recipe_user_id.as_str());
    }
    json.push_str(r#","sessionHandle":"#);
    put_text(json, &token.handle.to_string());
    put(
        json,
        format_args!(r#","refreshTokenHash1":"{}","parentRefreshTokenHash1":"#, token.refresh_token_hash_1.to_hex()),
    );
    match token.parent_refresh_token_hash_1 {
        Some(hash) => put(json, format_args!(r#""{}""#, hash.to_hex())),
        None => json.push_str("null"),
    }
    json.push_str(r#","antiCsrfToken":"#);
    match token.anti_csrf_token {
        Some(anti_csrf) => put_text(json, anti_csrf),
        None => json.push_str("null"),
    }
    splice(json, token.user_data.as_str());
}

/// Appends the members of `object` (compact text) to the unfinished object in `json`, and closes that.
pub(super) fn splice(json: &mut String, object: &str) {
    let members = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    if !members.is_empty() {
        if !json.ends_with('{') {
            json.push(',');
        }
        json.push_str(members);
    }
    json.push('}');
}

fn put(json: &mut String, text: std::fmt::Arguments<'_>) {
    // invariant: writing to a String succeeds
    let _ = json.write_fmt(text);
}
