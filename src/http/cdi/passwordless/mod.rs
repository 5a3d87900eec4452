//! The passwordless recipe.

mod consume;
mod create;
mod find;
mod list;
mod remove;
mod update;

use crate::command::passwordless::Place;
use crate::domain::passwordless::{Contact, DeviceHash, DeviceId};
use crate::domain::user::{normalise_email, normalise_phone_number};
use crate::http::cdi::call::Call;
use crate::http::cdi::emailverification::require_storable;
use crate::http::cdi::route::Route;
use crate::http::error::ApiError;
use crate::route;
use serde::Serialize;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[
    route!(POST "/recipe/signinup/code", Tenant => create::create),
    route!(POST "/recipe/signinup/code/consume", Tenant => consume::consume),
    route!(POST "/recipe/signinup/code/check", Tenant => consume::check),
    route!(POST "/recipe/signinup/code/remove", Tenant => remove::one),
    route!(POST "/recipe/signinup/codes/remove", Tenant => remove::all),
    route!(GET "/recipe/signinup/codes", Tenant => list::list),
    // Other recipes share this path.
    route!(GET "/recipe/user", App => find::find).rid("passwordless"),
    route!(PUT "/recipe/user", AppStrict403 => update::update).rid("passwordless"),
];

/// A device as callers see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeviceBody<'a> {
    pre_auth_session_id: String,
    failed_code_input_attempt_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
}

impl<'a> DeviceBody<'a> {
    fn of(hash: &DeviceHash, failed_attempts: u64, contact: &'a Contact) -> Self {
        Self {
            pre_auth_session_id: hash.text(),
            failed_code_input_attempt_count: failed_attempts,
            email: contact.email(),
            phone_number: contact.phone_number(),
        }
    }
}

/// The path's tenant with its rules.
fn place(call: &Call) -> Result<Place, ApiError> {
    let scope = call.scope()?;
    let rules = call.existing_tenant()?.config.passwordless;
    Ok(Place { scope, tenant: call.tenant.clone(), rules })
}

/// The one contact that is given, normalised; `None` for none or both.
fn contact(email: Option<&str>, phone_number: Option<&str>) -> Result<Option<Contact>, ApiError> {
    let contact = match (email, phone_number) {
        (Some(email), None) => Contact::Email(normalise_email(email)),
        (None, Some(number)) => Contact::PhoneNumber(normalise_phone_number(number)),
        _ => return Ok(None),
    };
    require_storable(contact.text())?;
    Ok(Some(contact))
}

/// A device's id as it was handed out.
fn device(text: &str) -> Result<DeviceId, ApiError> {
    DeviceId::parse(text).ok_or_else(|| bad_encoding("deviceId"))
}

/// 400 for a field that is no base64.
fn bad_encoding(field: &str) -> ApiError {
    ApiError::bad_request(format!("Input encoding error in {field}"))
}
