//! `POST /signinup/code/resend`: another code for a sign-in that has begun.

use super::shared::{self, bad_encoding, required};
use crate::command::passwordless::create::{CodeCreated, CreateCode, Recipient};
use crate::command::passwordless::list::{ListDevices, Of};
use crate::config::front::FlowType;
use crate::context::Context;
use crate::domain::passwordless::{Contact, DeviceId};
use crate::fault::Fault;
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::Body;
use crate::http::fdi::limits;
use crate::http::fdi::reply;
use crate::http::fdi::sign_in::{Refused, SigningIn};

const RESTART: &str = "RESTART_FLOW_ERROR";

pub(super) async fn resend(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let body = Body::of(&call.request)?;
    // Which device it is follows from its secret id alone.
    required(&body, "preAuthSessionId", "Please provide preAuthSessionId")?;
    let device = required(&body, "deviceId", "Please provide a deviceId")?;
    // The tenant of a session does not replace the one in the path here.
    let tenant = call.tenant.clone();
    let mut signing_in = SigningIn::begin(context, call, &body).await?;
    call.tenant = tenant;
    let device = DeviceId::parse(device).ok_or_else(|| bad_encoding("deviceId"))?;
    let Some(contact) = contact_of(context, call, &device).await? else { return Ok(reply::status(RESTART)) };
    limits::admit_message(context, call, &contact).await?;
    let allowed = match shared::check_sending(context, call, &mut signing_in, &contact).await {
        Ok(allowed) => allowed,
        Err(Refused::Error(error)) => return Err(error),
        // What was allowed when the sign-in began is no longer: the frontend begins anew and is told why.
        Err(Refused::Reason(_)) => return Ok(reply::status(RESTART)),
    };
    let message = shared::message(context, call, &contact, FlowType::of(&allowed)).await?;
    let (place, recipient) = (shared::place(call)?, Recipient::Device(device));
    match (CreateCode { place, recipient, input_code: None, message }).run(context).await? {
        CodeCreated::Ok(_) => Ok(reply::status("OK")),
        CodeCreated::RestartFlow => Ok(reply::status(RESTART)),
        CodeCreated::InputCodeTaken => Err(Fault::invariant("drawing a code until it is a new one").into()),
    }
}

/// The contact of a device, if there is one of a kind that the settings want.
async fn contact_of(context: &Context, call: &FrontCall, device: &DeviceId) -> Result<Option<Contact>, FrontError> {
    let command = ListDevices { place: shared::place(call)?, of: Of::Device(device.hash()) };
    let contact = command.run(context).await?.pop().map(|(_, device)| device.contact);
    let wanted = call.front.passwordless.contact;
    Ok(contact.filter(|contact| match contact {
        Contact::Email(_) => wanted.has_email(),
        Contact::PhoneNumber(_) => wanted.has_phone(),
    }))
}
