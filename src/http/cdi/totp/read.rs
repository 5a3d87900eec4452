//! `GET /recipe/totp/device/list` and `POST /recipe/totp/device/status/bulk`.

use super::shared::filled;
use crate::command::totp::device::ReadDevices;
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::{Body, Query};
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
struct DevicesBody {
    status: &'static str,
    devices: Vec<DeviceBody>,
}

#[derive(Serialize)]
struct DeviceBody {
    name: String,
    period: u32,
    skew: u32,
    verified: bool,
}

pub(super) async fn list(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let user_id = Query::of(&call.request).required("userId")?;
    let user_id = UserId::new(filled(user_id, "userId")?);
    let devices = ReadDevices(call.scope()?).of(context, &user_id).await?;
    let devices = devices.into_iter().map(|device| DeviceBody {
        name: device.name,
        period: device.pace.period_s,
        skew: device.pace.skew,
        verified: device.verified,
    });
    Ok(Reply::json(&DevicesBody { status: "OK", devices: devices.collect() }))
}

#[derive(Serialize)]
struct StatusesBody {
    status: &'static str,
    users: Vec<UserStatus>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserStatus {
    user_id: UserId,
    /// `null` for a user without devices.
    has_verified_device: Option<bool>,
}

pub(super) async fn statuses(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let ids = Body::of(&call.request)?.user_ids()?;
    let verified = ReadDevices(call.scope()?).verified(context, &ids).await?;
    let of_user = |(user_id, has_verified_device)| UserStatus { user_id, has_verified_device };
    let users = ids.into_iter().zip(verified).map(of_user).collect();
    Ok(Reply::json(&StatusesBody { status: "OK", users }))
}
