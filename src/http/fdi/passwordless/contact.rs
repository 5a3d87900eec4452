//! The address or number that somebody wants a code at.

use crate::config::front::ContactMethod;
use crate::domain::passwordless::Contact;
use crate::domain::user::{MAX_EMAIL, normalise_email, valid_phone_number};
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::Body;
use crate::http::fdi::validate;
use serde_json::Value;

const INVALID_EMAIL: &str = "Email is invalid";
const INVALID_NUMBER: &str = "Phone number is invalid";

/// Reads `email` or `phoneNumber`. The inner error is a sentence for the person.
///
/// # Errors
/// 400 unless one of them is there, of the kind that the settings want.
pub(super) fn contact(body: &Body, method: ContactMethod) -> Result<Result<Contact, &'static str>, FrontError> {
    match (body.get("email"), body.get("phoneNumber")) {
        (Some(email), None) if method.has_email() => Ok(self::email(text("email", email)?)),
        (None, Some(number)) if method.has_phone() => Ok(phone_number(text("phoneNumber", number)?)),
        (Some(_), None) => {
            let sentence = "Please provide a phoneNumber since you have set the contactMethod to \"PHONE\"";
            Err(FrontError::bad_request(sentence))
        }
        (None, Some(_)) => {
            let sentence = "Please provide an email since you have set the contactMethod to \"EMAIL\"";
            Err(FrontError::bad_request(sentence))
        }
        _ => Err(FrontError::bad_request("Please provide exactly one of email or phoneNumber")),
    }
}

fn text<'b>(name: &str, value: &'b Value) -> Result<&'b str, FrontError> {
    value.as_str().ok_or_else(|| FrontError::bad_request(format!("{name} must be a string")))
}

fn email(text: &str) -> Result<Contact, &'static str> {
    if let Some(error) = validate::email(text.trim()) {
        return Err(error);
    }
    let address = normalise_email(text);
    if address.len() > MAX_EMAIL { Err(INVALID_EMAIL) } else { Ok(Contact::Email(address)) }
}

fn phone_number(text: &str) -> Result<Contact, &'static str> {
    valid_phone_number(text).map(Contact::PhoneNumber).ok_or(INVALID_NUMBER)
}
