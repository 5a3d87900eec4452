//! `/recipe/totp/device`, `…/import` and `…/remove`.

use super::shared::filled;
use crate::command::totp::device::{AddDevice, AddDeviceOutcome, RemoveDevice, RenameDevice, Renamed};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::totp::{MAX_DEVICES, MAX_NAME, MAX_SKEW, Pace, TotpSecret};
use crate::http::cdi::call::Call;
use crate::http::cdi::input::{Body, invalid_field};
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AddedBody<'a> {
    status: &'static str,
    device_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

pub(super) async fn create(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let command = new_device(call, false)?;
    match command.run(context).await? {
        AddDeviceOutcome::Ok { name, secret } => {
            let secret = secret.to_base32();
            Ok(Reply::json(&AddedBody { status: "OK", device_name: name, secret: Some(secret.expose()) }))
        }
        AddDeviceOutcome::AlreadyExists => Ok(already_exists()),
        AddDeviceOutcome::TooMany => Err(too_many()),
    }
}

pub(super) async fn import(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let command = new_device(call, true)?;
    match command.run(context).await? {
        AddDeviceOutcome::Ok { name, .. } => {
            Ok(Reply::json(&AddedBody { status: "OK", device_name: name, secret: None }))
        }
        AddDeviceOutcome::AlreadyExists => Ok(already_exists()),
        AddDeviceOutcome::TooMany => Err(too_many()),
    }
}

fn new_device(call: &Call, has_secret: bool) -> Result<AddDevice, ApiError> {
    let body = Body::of(&call.request)?;
    let user_id = body.string("userId")?;
    let name = body.nullable_string("deviceName")?;
    let skew = int(&body, "skew")?;
    let period = int(&body, "period")?;
    let secret = if has_secret { Some(body.string("secretKey")?) } else { None };
    let user_id = UserId::new(filled(user_id, "userId")?);
    let name = name.map(|name| named(filled(name, "deviceName")?)).transpose()?;
    let secret = secret.map(|secret| filled(secret, "secretKey")).transpose()?;
    let pace = pace(skew, period)?;
    let known_secret = secret.map(|text| TotpSecret::from_base32(&text).ok_or_else(no_secret)).transpose()?;
    Ok(AddDevice { scope: call.scope()?, user_id, name, pace, known_secret })
}

/// A number that fits in 32 bits.
fn int(body: &Body<'_>, name: &str) -> Result<i32, ApiError> {
    i32::try_from(body.long(name)?).map_err(|_| invalid_field(name))
}

fn pace(skew: i32, period: i32) -> Result<Pace, ApiError> {
    let Ok(skew) = u32::try_from(skew) else { return Err(ApiError::bad_request("skew must be >= 0")) };
    match u32::try_from(period) {
        Err(_) | Ok(0) => Err(ApiError::bad_request("period must be > 0")),
        Ok(_) if skew > MAX_SKEW => Err(ApiError::bad_request(format!("skew must be <= {MAX_SKEW}"))),
        Ok(period_s) => Ok(Pace { period_s, skew }),
    }
}

fn named(name: String) -> Result<String, ApiError> {
    if name.len() > MAX_NAME {
        return Err(ApiError::bad_request(format!("The name of a device cannot be longer than {MAX_NAME} bytes")));
    }
    Ok(name)
}

fn no_secret() -> ApiError {
    ApiError::bad_request("secretKey must be a Base32 text")
}

fn too_many() -> ApiError {
    ApiError::bad_request(format!("A user cannot have more than {MAX_DEVICES} TOTP devices"))
}

fn already_exists() -> Reply {
    Reply::status("DEVICE_ALREADY_EXISTS_ERROR")
}

pub(super) async fn rename(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let (user_id, name) = (body.string("userId")?, body.string("existingDeviceName")?);
    let new_name = body.string("newDeviceName")?;
    let user_id = UserId::new(filled(user_id, "userId")?);
    let name = filled(name, "existingDeviceName")?;
    let new_name = named(filled(new_name, "newDeviceName")?)?;
    let command = RenameDevice { scope: call.scope()?, user_id, name, new_name };
    Ok(match command.run(context).await? {
        Renamed::Ok => Reply::status("OK"),
        Renamed::UnknownDevice => Reply::status("UNKNOWN_DEVICE_ERROR"),
        Renamed::AlreadyExists => already_exists(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RemovedBody {
    status: &'static str,
    did_device_exist: bool,
}

pub(super) async fn remove(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let (user_id, name) = (body.string("userId")?, body.string("deviceName")?);
    let user_id = UserId::new(filled(user_id, "userId")?);
    let name = filled(name, "deviceName")?;
    let command = RemoveDevice { scope: call.scope()?, user_id, name };
    Ok(Reply::json(&RemovedBody { status: "OK", did_device_exist: command.run(context).await? }))
}
