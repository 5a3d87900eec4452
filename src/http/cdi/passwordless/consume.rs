//! `POST /recipe/signinup/code/consume` and `POST /recipe/signinup/code/check`.

use super::shared::{DeviceBody, bad_encoding, device, place};
use crate::command::passwordless::attempt::{Attempt, CheckCode, Presented, Refused, RightDevice};
use crate::command::passwordless::consume::{ConsumeCode, Consumed};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::passwordless::{DeviceHash, LinkCode};
use crate::domain::secret::Secret;
use crate::domain::tenancy::Recipe;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::cdi::user::object::UserObject;
use crate::http::codes::RefusedCodeBody;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConsumedBody<'a> {
    status: &'static str,
    created_new_user: bool,
    user: UserObject<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipe_user_id: Option<&'a UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_device: Option<DeviceBody<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CheckedBody<'a> {
    status: &'static str,
    consumed_device: DeviceBody<'a>,
}

pub(super) async fn consume(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let attempt = attempt(call)?;
    let command = ConsumeCode { attempt, confirms_email: call.wire.codes_confirm_email, session: None };
    match command.run(context).await? {
        Consumed::Ok { signed, created, device } => {
            let person = &signed.person;
            let shown = person.info.user.shown(&person.recipe_user_id);
            Ok(Reply::json(&ConsumedBody {
                status: "OK",
                created_new_user: created,
                user: UserObject::of(&person.info, &person.recipe_user_id, call.wire),
                recipe_user_id: call.wire.users_have_login_methods.then_some(shown),
                consumed_device: call.wire.shows_consumed_device.then(|| device_body(&device)),
            }))
        }
        Consumed::Refused(refused) => reply(refused),
    }
}

pub(super) async fn check(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    match CheckCode(attempt(call)?).run(context).await? {
        Ok(device) => Ok(Reply::json(&CheckedBody { status: "OK", consumed_device: device_body(&device) })),
        Err(refused) => reply(refused),
    }
}

fn device_body(device: &RightDevice) -> DeviceBody<'_> {
    DeviceBody::of(&device.hash, device.failed_attempts, &device.contact)
}

fn attempt(call: &Call) -> Result<Attempt, ApiError> {
    let body = Body::of(&call.request)?;
    let pre_auth_session = DeviceHash::parse(&body.string("preAuthSessionId")?);
    // The presence of fields is checked before their content, and whether the content can be decoded comes last.
    let texts = match ["linkCode", "deviceId", "userInputCode"].map(|field| body.has(field)) {
        [true, false, false] => [Some(body.string("linkCode")?), None, None],
        [false, true, true] => [None, Some(body.string("deviceId")?), Some(body.string("userInputCode")?)],
        _ => {
            let sentence = "Please provide exactly one of linkCode or deviceId+userInputCode";
            return Err(ApiError::bad_request(sentence));
        }
    };
    let place = place(call)?;
    call.require_recipe(Recipe::Passwordless)?;
    let presented = match texts {
        [_, Some(id), Some(code)] => {
            Presented::InputCode { device: device(&id)?, code: Secret::new(code.into_owned()) }
        }
        [link, ..] => {
            let link = LinkCode::parse(&link.unwrap_or_default());
            Presented::LinkCode(link.ok_or_else(|| bad_encoding("linkCode"))?)
        }
    };
    Ok(Attempt { place, pre_auth_session, presented })
}

fn reply(refused: Refused) -> Result<Reply, ApiError> {
    RefusedCodeBody::of(refused).map(|body| Reply::json(&body)).map_err(ApiError::bad_request)
}
