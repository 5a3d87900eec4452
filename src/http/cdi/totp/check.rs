//! `POST /recipe/totp/verify` and `…/device/verify`.

use super::shared::filled;
use crate::command::totp::check::{CheckCode, Checked};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

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
    current_number_of_failed_attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_number_of_failed_attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

pub(super) async fn device(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let (user_id, name, code) = (body.string("userId")?, body.string("deviceName")?, body.string("totp")?);
    let user_id = filled(user_id, "userId")?;
    let name = filled(name, "deviceName")?;
    check(context, call, user_id, Some(&name), &code).await
}

pub(super) async fn verify(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let (user_id, code) = (body.string("userId")?, body.string("totp")?);
    check(context, call, filled(user_id, "userId")?, None, &code).await
}

async fn check(
    context: &Context,
    call: &Call,
    user_id: String,
    device: Option<&str>,
    code: &str,
) -> Result<Reply, ApiError> {
    let limits = call.existing_tenant()?.config.totp;
    let (scope, tenant) = (call.scope()?, call.tenant.clone());
    let refused = |status, failures, retry_after_ms| {
        let shown = |count: u32| call.wire.totp_counts_attempts.then_some(count);
        Reply::json(&RefusedBody {
            status,
            current_number_of_failed_attempts: shown(failures),
            max_number_of_failed_attempts: shown(limits.attempts),
            retry_after_ms,
        })
    };
    let command = CheckCode { scope, tenant, user_id: UserId::new(user_id), device, code, limits };
    Ok(match command.run(context).await? {
        Checked::Ok { was_verified } if device.is_some() => {
            Reply::json(&VerifiedBody { status: "OK", was_already_verified: was_verified })
        }
        Checked::Ok { .. } => Reply::status("OK"),
        Checked::UnknownDevice => Reply::status("UNKNOWN_DEVICE_ERROR"),
        Checked::UnknownUser => Reply::status("UNKNOWN_USER_ID_ERROR"),
        Checked::Invalid { failures } => refused("INVALID_TOTP_ERROR", failures, None),
        Checked::LimitReached { failures, retry_after_ms } => {
            refused("LIMIT_REACHED_ERROR", failures, Some(retry_after_ms))
        }
    })
}
