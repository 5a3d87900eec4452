//! `POST /recipe/signinup/code/remove` and `POST /recipe/signinup/codes/remove`.

use super::shared::{contact, place};
use crate::command::passwordless::remove::{RemoveCodes, Which};
use crate::context::Context;
use crate::domain::passwordless::{CodeId, DeviceHash};
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;

/// Removes one code, or (from CDI 5.0) those of a device. A name that no code can have matches none.
pub(super) async fn one(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let which = if call.wire.codes_go_by_device {
        let (code, device) = (body.optional_string("codeId")?, body.optional_string("preAuthSessionId")?);
        match (code, device) {
            (Some(id), None) => CodeId::parse(&id).map(Which::Code),
            (None, Some(device)) => DeviceHash::parse(&device).map(Which::Device),
            (None, None) => {
                return Err(ApiError::bad_request("Please provide either 'codeId' or 'preAuthSessionId'"));
            }
            (Some(_), Some(_)) => {
                return Err(ApiError::bad_request("Please provide only one of 'codeId' or 'preAuthSessionId'"));
            }
        }
    } else {
        CodeId::parse(&body.string("codeId")?).map(Which::Code)
    };
    remove(context, call, which).await
}

/// Removes all codes of a contact.
pub(super) async fn all(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let (email, phone_number) = (body.optional_string("email")?, body.optional_string("phoneNumber")?);
    let Some(contact) = contact(email.as_deref(), phone_number.as_deref())? else {
        return Err(ApiError::bad_request("Please provide exactly one of email or phoneNumber"));
    };
    remove(context, call, Some(Which::Contact(contact))).await
}

async fn remove(context: &Context, call: &Call, which: Option<Which>) -> Result<Reply, ApiError> {
    let place = place(call)?;
    if let Some(which) = which {
        RemoveCodes { place, which }.run(context).await?;
    }
    Ok(Reply::status("OK"))
}
