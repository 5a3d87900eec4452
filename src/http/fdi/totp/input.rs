//! What the recipe's routes read.

use crate::command::user::{FindUser, UserInfo};
use crate::context::Context;
use crate::domain::totp::MAX_NAME;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::Body;
use crate::http::fdi::session::LoadedSession;

/// The recipe's factor.
pub(super) const FACTOR: &str = "totp";

/// A text of the body.
///
/// # Errors
/// 400 with this sentence unless it is there.
pub(super) fn text<'b>(body: &'b Body, name: &str, sentence: &str) -> Result<&'b str, FrontError> {
    let value = body.get(name).and_then(|value| value.as_str());
    value.ok_or_else(|| FrontError::bad_request(sentence))
}

/// The name of a device.
///
/// # Errors
/// 400 if it is empty or too long.
pub(super) fn named<'b>(name: &'b str, sentence: &str) -> Result<&'b str, FrontError> {
    match name.len() {
        0 => Err(FrontError::bad_request(sentence)),
        1..=MAX_NAME => Ok(name),
        _ => Err(FrontError::bad_request(format!("The name of a device cannot be longer than {MAX_NAME} bytes"))),
    }
}

/// The session's user.
///
/// # Errors
/// 401 if it is gone.
pub(super) async fn user(context: &Context, call: &FrontCall, session: &LoadedSession) -> Result<UserInfo, FrontError> {
    let found = FindUser { scope: call.scope(), id: session.view.user_id.clone() }.run(context).await?;
    found.ok_or(FrontError::UNAUTHORISED)
}
