//! Code shared by the endpoints of this recipe.

use crate::command::passwordless::PasswordlessScope;
use crate::domain::passwordless::{Contact, DeviceHash, DeviceId};
use crate::domain::user::{normalise_email, normalise_phone_number};
use crate::http::cdi::call::Call;
use crate::http::cdi::emailverification::shared::require_storable;
use crate::http::error::ApiError;
use serde::Serialize;

/// A device as callers see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceBody<'a> {
    pub(super) pre_auth_session_id: String,
    pub(super) failed_code_input_attempt_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phone_number: Option<&'a str>,
}

impl<'a> DeviceBody<'a> {
    pub(super) fn of(hash: &DeviceHash, failed_attempts: u64, contact: &'a Contact) -> Self {
        Self {
            pre_auth_session_id: hash.text(),
            failed_code_input_attempt_count: failed_attempts,
            email: contact.email(),
            phone_number: contact.phone_number(),
        }
    }
}

/// The path's tenant with its rules.
pub(super) fn place(call: &Call) -> Result<PasswordlessScope, ApiError> {
    let scope = call.scope()?;
    let rules = call.existing_tenant()?.config.passwordless;
    Ok(PasswordlessScope { scope, tenant: call.tenant.clone(), rules })
}

/// The one contact given, normalised; `None` for none or both.
pub(super) fn contact(email: Option<&str>, phone_number: Option<&str>) -> Result<Option<Contact>, ApiError> {
    let contact = match (email, phone_number) {
        (Some(email), None) => Contact::Email(normalise_email(email)),
        (None, Some(number)) => Contact::PhoneNumber(normalise_phone_number(number)),
        _ => return Ok(None),
    };
    require_storable(contact.text())?;
    Ok(Some(contact))
}

/// Decodes a device's id as it was handed out.
pub(super) fn device(text: &str) -> Result<DeviceId, ApiError> {
    DeviceId::parse(text).ok_or_else(|| bad_encoding("deviceId"))
}

/// 400 for a field that is not base64.
pub(super) fn bad_encoding(field: &str) -> ApiError {
    ApiError::bad_request(format!("Input encoding error in {field}"))
}
