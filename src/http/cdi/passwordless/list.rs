//! `GET /recipe/signinup/codes`.

use super::shared::{DeviceBody, contact, device, place};
use crate::command::passwordless::list::{ListDevices, Of};
use crate::context::Context;
use crate::domain::passwordless::{Device, DeviceHash};
use crate::domain::time::UnixMillis;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Query;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
struct DevicesBody<'a> {
    status: &'static str,
    devices: Vec<ListedBody<'a>>,
}

#[derive(Serialize)]
struct ListedBody<'a> {
    #[serde(flatten)]
    device: DeviceBody<'a>,
    codes: Vec<CodeBody>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CodeBody {
    code_id: String,
    time_created: UnixMillis,
    code_lifetime: u64,
}

pub(super) async fn list(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let query = Query::of(&call.request);
    let (email, phone_number) = (query.optional("email"), query.optional("phoneNumber"));
    let (device_id, session) = (query.optional("deviceId"), query.optional("preAuthSessionId"));
    if [&email, &phone_number, &device_id, &session].into_iter().flatten().count() != 1 {
        let sentence = "Please provide exactly one of email, phoneNumber, deviceId or preAuthSessionId";
        return Err(ApiError::bad_request(sentence));
    }
    let place = place(call)?;
    let of = match (device_id, session) {
        (Some(id), _) => Some(Of::Device(device(&id)?.hash())),
        (None, Some(hash)) => DeviceHash::parse(&hash).map(Of::Device),
        (None, None) => contact(email.as_deref(), phone_number.as_deref())?.map(Of::Contact),
    };
    let lifetime = place.rules.lifetime_ms;
    let found = match of {
        Some(of) => ListDevices { place, of }.run(context).await?,
        None => Vec::new(),
    };
    let devices = found.iter().map(|(hash, device)| body(hash, device, lifetime)).collect();
    Ok(Reply::json(&DevicesBody { status: "OK", devices }))
}

fn body<'a>(hash: &DeviceHash, device: &'a Device, code_lifetime: u64) -> ListedBody<'a> {
    let code = |code: &crate::domain::passwordless::Code| CodeBody {
        code_id: code.id.to_string(),
        time_created: code.created,
        code_lifetime,
    };
    ListedBody {
        device: DeviceBody::of(hash, device.failed_attempts, &device.contact),
        codes: device.codes.iter().map(code).collect(),
    }
}
