//! `POST /totp/device/verify` and `POST /totp/verify`: codes.

use super::input::{FACTOR, named, text, user};
use crate::command::totp::check::{CheckCode, Checked};
use crate::context::Context;
use crate::domain::limits::LimitedAction;
use crate::http::codes::{CheckedTotpBody, TotpShown};
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::Body;
use crate::http::fdi::multifactorauth::{check_set_up, complete};
use crate::http::fdi::session::{self, LoadedSession};
use crate::http::fdi::{limits, reply};

const NO_CODE: &str = "totp is required and must be a string";

/// Verifies a device with its first code. A device that has been verified takes any code, so only one that has to be
/// set up counts as a factor.
pub(super) async fn device(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let mut session = session::required(context, call).await?;
    let body = Body::of(&call.request)?;
    let name = text(&body, "deviceName", "deviceName is required and must be a string")?;
    let code = text(&body, "totp", NO_CODE)?;
    let name = named(name, "deviceName cannot be empty")?;
    let user_id = session.view.user_id.clone();
    limits::admit(context, call, LimitedAction::Code, Some(user_id.as_str())).await?;
    let info = user(context, call, &session).await?;
    check_set_up(context, call, &mut session, &info.user, &[FACTOR]).await?;
    let (checked, body) = check(context, call, &session, Some(name), code).await?;
    // Whoever has shown no code has completed nothing.
    if matches!(checked, Checked::Ok { was_verified: false }) {
        limits::succeed(context, call, LimitedAction::Code, Some(user_id.as_str()));
        complete(context, call, &mut session, FACTOR).await?;
    }
    Ok(reply::ok(&body))
}

/// Takes a code of a verified device.
pub(super) async fn code(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let mut session = session::required(context, call).await?;
    let body = Body::of(&call.request)?;
    let code = text(&body, "totp", NO_CODE)?;
    let user_id = session.view.user_id.clone();
    limits::admit(context, call, LimitedAction::Code, Some(user_id.as_str())).await?;
    let (checked, body) = check(context, call, &session, None, code).await?;
    if matches!(checked, Checked::Ok { .. }) {
        limits::succeed(context, call, LimitedAction::Code, Some(user_id.as_str()));
        complete(context, call, &mut session, FACTOR).await?;
    }
    Ok(reply::ok(&body))
}

/// What became of the code, and what is said about it.
async fn check(
    context: &Context,
    call: &FrontCall,
    session: &LoadedSession,
    device: Option<&str>,
    code: &str,
) -> Result<(Checked, CheckedTotpBody), FrontError> {
    let tenant = session.view.handle.tenant.clone();
    let attempts = call.app.tenant(&tenant).ok_or(FrontError::UNAUTHORISED)?.config.totp;
    let shown = TotpShown { verifies_device: device.is_some(), most_failures: Some(attempts.attempts) };
    let user_id = session.view.user_id.clone();
    let command =
        CheckCode { scope: call.scope(), tenant, counts_all_tenants: true, user_id, device, code, limits: attempts };
    let checked = command.run(context).await?;
    let body = CheckedTotpBody::of(&checked, shown);
    Ok((checked, body))
}
