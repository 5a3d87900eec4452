//! `POST /recipe/signinup/code`.

use super::shared::{contact, device, place};
use crate::command::passwordless::create::{CodeCreated, CreateCode, Recipient};
use crate::context::Context;
use crate::domain::secret::Secret;
use crate::domain::tenancy::Recipe;
use crate::domain::time::UnixMillis;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreatedBody<'a> {
    status: &'static str,
    pre_auth_session_id: String,
    code_id: String,
    device_id: &'a str,
    user_input_code: &'a str,
    link_code: &'a str,
    time_created: UnixMillis,
    code_lifetime: u64,
}

pub(super) async fn create(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    // The presence of fields is checked before their content, and whether the content can be decoded comes last.
    if ["email", "phoneNumber", "deviceId"].into_iter().filter(|field| body.has(field)).count() != 1 {
        return Err(ApiError::bad_request("Please provide exactly one of email, phoneNumber or deviceId"));
    }
    let email = body.optional_string("email")?;
    let phone_number = body.optional_string("phoneNumber")?;
    let device_id = body.optional_string("deviceId")?;
    let input_code = body.optional_string("userInputCode")?;
    if input_code.as_deref() == Some("") {
        return Err(ApiError::bad_request("userInputCode cannot be an empty string."));
    }
    let contact = contact(email.as_deref(), phone_number.as_deref())?;
    let place = place(call)?;
    call.require_recipe(Recipe::Passwordless)?;
    let recipient = match contact {
        Some(contact) => Recipient::Contact(contact),
        None => Recipient::Device(device(&device_id.unwrap_or_default())?),
    };
    let code_lifetime = place.rules.lifetime_ms;
    let input_code = input_code.map(|code| Secret::new(code.into_owned()));
    Ok(match (CreateCode { place, recipient, input_code, message: None }).run(context).await? {
        CodeCreated::Ok(new) => Reply::json(&CreatedBody {
            status: "OK",
            pre_auth_session_id: new.pre_auth_session.text(),
            code_id: new.id.to_string(),
            device_id: new.device.text().expose(),
            user_input_code: new.input_code.expose(),
            link_code: new.link_code.text().expose(),
            time_created: new.created,
            code_lifetime,
        }),
        CodeCreated::RestartFlow => Reply::status("RESTART_FLOW_ERROR"),
        CodeCreated::InputCodeTaken => Reply::status("USER_INPUT_CODE_ALREADY_USED_ERROR"),
    })
}
