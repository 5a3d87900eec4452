//! `GET /passwordless/email/exists` and `GET /passwordless/phonenumber/exists`.

use super::shared;
use crate::command::user::look_up::LookUpUsers;
use crate::context::Context;
use crate::domain::limits::LimitedAction;
use crate::domain::passwordless::Contact;
use crate::domain::user::{AccountInfo, LookUp, MAX_EMAIL, normalise_email, normalise_phone_number};
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::{input, limits, reply};
use serde::Serialize;

#[derive(Serialize)]
struct ExistsBody {
    exists: bool,
    status: &'static str,
}

/// Whether somebody signs in with codes sent to an address.
pub(super) async fn email(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let email = input::query(&call.request, "email")
        .ok_or_else(|| FrontError::bad_request("Please provide the email as a GET param"))?;
    let contact = Contact::Email(normalise_email(&email));
    call.existing_tenant()?;
    limits::admit(context, call, LimitedAction::Lookup, None).await?;
    let is_asked = call.front.accounts.are_told && contact.text().len() <= MAX_EMAIL;
    let exists = is_asked && shared::owner(context, call, &contact).await?.is_some();
    Ok(reply::ok(&ExistsBody { exists, status: "OK" }))
}

/// Whether somebody has a number, however they sign in.
pub(super) async fn phone_number(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let number = input::query(&call.request, "phoneNumber")
        .ok_or_else(|| FrontError::bad_request("Please provide the phoneNumber as a GET param"))?;
    let number = normalise_phone_number(&number);
    call.existing_tenant()?;
    limits::admit(context, call, LimitedAction::Lookup, None).await?;
    let is_asked = call.front.accounts.are_told && number.len() <= MAX_EMAIL;
    let criteria = vec![LookUp::Info(AccountInfo::PhoneNumber(number))];
    let command = LookUpUsers { scope: call.scope(), tenant: call.tenant.clone(), criteria, union: true };
    let exists = is_asked && !command.run(context).await?.is_empty();
    Ok(reply::ok(&ExistsBody { exists, status: "OK" }))
}
