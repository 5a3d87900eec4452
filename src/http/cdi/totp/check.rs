//! `POST /recipe/totp/verify` and `…/device/verify`.

use super::shared::filled;
use crate::command::totp::check::CheckCode;
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::codes::{CheckedTotpBody, TotpShown};
use crate::http::error::ApiError;
use crate::http::exchange::Reply;

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
    let most_failures = call.wire.totp_counts_attempts.then_some(limits.attempts);
    let shown = TotpShown { verifies_device: device.is_some(), most_failures };
    let user_id = UserId::new(user_id);
    let command = CheckCode { scope, tenant, counts_all_tenants: false, user_id, device, code, limits };
    Ok(Reply::json(&CheckedTotpBody::of(&command.run(context).await?, shown)))
}
