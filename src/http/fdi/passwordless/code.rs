//! `POST /signinup/code`: a sign-in begins.

use super::contact::contact;
use super::shared::{self, CODES};
use crate::command::passwordless::create::{CodeCreated, CreateCode, Recipient};
use crate::config::front::FlowType;
use crate::context::Context;
use crate::fault::Fault;
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::Body;
use crate::http::fdi::limits;
use crate::http::fdi::reply;
use crate::http::fdi::sign_in::SigningIn;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreatedBody<'a> {
    status: &'static str,
    device_id: &'a str,
    flow_type: &'static str,
    pre_auth_session_id: String,
}

pub(super) async fn create(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let body = Body::of(&call.request)?;
    let contact = match contact(&body, call.front.passwordless.contact)? {
        Ok(contact) => contact,
        Err(sentence) => return Ok(reply::general_error(sentence)),
    };
    let mut signing_in = SigningIn::begin(context, call, &body).await?;
    let place = shared::place(call)?;
    limits::admit_message(context, call, &contact).await?;
    let allowed = match shared::check_sending(context, call, &mut signing_in, &contact).await {
        Ok(allowed) => allowed,
        Err(refused) => return refused.reply(&CODES),
    };
    let flow = FlowType::of(&allowed);
    let message = shared::message(context, call, &contact, flow).await?;
    let command = CreateCode { place, recipient: Recipient::Contact(contact), input_code: None, message };
    let CodeCreated::Ok(new) = command.run(context).await? else {
        return Err(Fault::invariant("creating a new device with a random code").into());
    };
    Ok(reply::ok(&CreatedBody {
        status: "OK",
        device_id: new.device.text().expose(),
        flow_type: flow.name(),
        pre_auth_session_id: new.pre_auth_session.text(),
    }))
}
