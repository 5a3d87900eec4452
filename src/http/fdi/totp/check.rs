//! `POST /totp/device/verify` and `POST /totp/verify`: codes.

use super::input::{FACTOR, named, text, user};
use crate::command::totp::check::{CheckCode, Checked};
use crate::context::Context;
use crate::domain::totp::attempts::Limits;
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::Body;
use crate::http::fdi::multifactorauth::{check_set_up, complete};
use crate::http::fdi::reply;
use crate::http::fdi::session::{self, LoadedSession};
use serde::Serialize;

const NO_CODE: &str = "totp is required and must be a string";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerifiedBody {
    status: &'static str,
    was_already_verified: bool,
}

/// A refused code: the number of wrong codes so far, and the limit.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RefusedBody {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    current_number_of_failed_attempts: u32,
    max_number_of_failed_attempts: u32,
}

/// Verifies a device with its first code. A device that has been verified takes any code, so only one that has to be
/// set up counts as a factor.
pub(super) async fn device(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let mut session = session::required(context, call).await?;
    let body = Body::of(&call.request)?;
    let name = text(&body, "deviceName", "deviceName is required and must be a string")?;
    let code = text(&body, "totp", NO_CODE)?;
    let name = named(name, "deviceName cannot be empty")?;
    let info = user(context, call, &session).await?;
    check_set_up(context, call, &mut session, &info.user, &[FACTOR]).await?;
    let (checked, limits) = check(context, call, &session, Some(name), code).await?;
    let Checked::Ok { was_verified } = checked else { return Ok(refused(checked, limits)) };
    // Whoever has shown no code has completed nothing.
    if !was_verified {
        complete(context, call, &mut session, FACTOR).await?;
    }
    Ok(reply::ok(&VerifiedBody { status: "OK", was_already_verified: was_verified }))
}

/// Takes a code of a verified device.
pub(super) async fn code(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let mut session = session::required(context, call).await?;
    let body = Body::of(&call.request)?;
    let code = text(&body, "totp", NO_CODE)?;
    let (checked, limits) = check(context, call, &session, None, code).await?;
    if !matches!(checked, Checked::Ok { .. }) {
        return Ok(refused(checked, limits));
    }
    complete(context, call, &mut session, FACTOR).await?;
    Ok(reply::status("OK"))
}

async fn check(
    context: &Context,
    call: &FrontCall,
    session: &LoadedSession,
    device: Option<&str>,
    code: &str,
) -> Result<(Checked, Limits), FrontError> {
    let tenant = session.view.handle.tenant.clone();
    let limits = call.app.tenant(&tenant).ok_or(FrontError::UNAUTHORISED)?.config.totp;
    let user_id = session.view.user_id.clone();
    let command = CheckCode { scope: call.scope(), tenant, user_id, device, code, limits };
    Ok((command.run(context).await?, limits))
}

/// The reply to a code that was not taken.
fn refused(checked: Checked, limits: Limits) -> Reply {
    let counted = |status, failures, retry_after_ms| {
        reply::ok(&RefusedBody {
            status,
            retry_after_ms,
            current_number_of_failed_attempts: failures,
            max_number_of_failed_attempts: limits.attempts,
        })
    };
    match checked {
        Checked::Ok { .. } => reply::status("OK"),
        Checked::UnknownDevice => reply::status("UNKNOWN_DEVICE_ERROR"),
        Checked::UnknownUser => reply::status("UNKNOWN_USER_ID_ERROR"),
        Checked::Invalid { failures } => counted("INVALID_TOTP_ERROR", failures, None),
        Checked::LimitReached { failures, retry_after_ms } => {
            counted("LIMIT_REACHED_ERROR", failures, Some(retry_after_ms))
        }
    }
}
