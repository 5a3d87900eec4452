//! `formFields`: read, checked for their form, then by their rules (protocol: 21, 4).

use crate::config::front::{FormField, FrontConfig};
use crate::domain::json::{Json, JsonObject, Members};
use crate::domain::password::guessable::is_guessable;
use crate::http::exchange::Reply;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::Body;
use crate::http::fdi::{reply, validate};
use serde::Serialize;
use serde_json::{Map, Value};

/// The field for the address.
pub(super) const EMAIL: &str = "email";
/// The field for the password.
pub(super) const PASSWORD: &str = "password";
const GUESSABLE: &str = "This password is easy to guess. Please choose another one.";
/// The member of a user's metadata that holds what was answered at sign-up.
const ANSWERS: &str = "signUpFormFields";

/// The fields of a form, as sent; the address is trimmed.
pub(super) struct Form(Vec<(String, Value)>);

/// A field that breaks a rule.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct FieldError {
    pub(super) id: String,
    pub(super) error: &'static str,
}

/// How passwords are checked.
#[derive(Debug, Clone, Copy)]
pub(super) enum PasswordRule<'a> {
    /// It is a new one, for this front door.
    New(&'a FrontConfig),
    /// It is one that the person has.
    Existing,
}

impl Form {
    /// Reads `formFields`.
    ///
    /// # Errors
    /// 400 unless it is a list of ids with values.
    pub(super) fn of(body: &Body) -> Result<Self, FrontError> {
        let fields =
            body.get("formFields").ok_or_else(|| FrontError::bad_request("Missing input param: formFields"))?;
        let fields = fields.as_array().ok_or_else(|| FrontError::bad_request("formFields must be an array"))?;
        fields.iter().map(field).collect::<Result<_, _>>().map(Self)
    }

    /// The text of a field; empty if it is absent.
    pub(super) fn text(&self, id: &str) -> &str {
        self.value(id).and_then(Value::as_str).unwrap_or_default()
    }

    /// The first field with this id.
    fn value(&self, id: &str) -> Option<&Value> {
        self.0.iter().find(|(other, _)| other == id).map(|(_, value)| value)
    }

    /// Checks the fields against the configured ones.
    ///
    /// # Errors
    /// 400 if there are more fields than configured.
    pub(super) fn errors(
        &self,
        configured: &[FormField],
        rule: PasswordRule<'_>,
    ) -> Result<Vec<FieldError>, FrontError> {
        if self.0.len() > configured.len() {
            return Err(FrontError::bad_request("Are you sending too many formFields?"));
        }
        let errors = configured.iter().filter_map(|FormField { id, optional }| {
            let value = self.value(id).filter(|value| !value.is_null() && value.as_str() != Some(""));
            let error = match (value, id.as_str()) {
                (None, _) => (!optional).then_some("Field is not optional"),
                (Some(Value::String(address)), EMAIL) => validate::email(address),
                (Some(Value::String(word)), PASSWORD) => self.password_error(word, rule),
                (Some(_), _) => None,
            };
            error.map(|error| FieldError { id: id.clone(), error })
        });
        Ok(errors.collect())
    }

    fn password_error(&self, password: &str, rule: PasswordRule<'_>) -> Option<&'static str> {
        let PasswordRule::New(front) = rule else { return None };
        let is_refused = || {
            let email = self.text(EMAIL);
            let name = email.split_once('@').map_or(email, |(name, _)| name);
            front.accounts.refuses_common_passwords && is_guessable(password, &[&front.app_name, email, name])
        };
        validate::password(password).or_else(|| is_refused().then_some(GUESSABLE))
    }

    /// What was answered besides address and password; `None` without any answer.
    pub(super) fn answers(&self, configured: &[FormField]) -> Option<JsonObject> {
        let is_own = |id: &str| id != EMAIL && id != PASSWORD && configured.iter().any(|field| field.id == id);
        let mut answers = Map::new();
        for (id, value) in self.0.iter().filter(|(id, value)| is_own(id) && !value.is_null()) {
            answers.entry(id.clone()).or_insert_with(|| value.clone());
        }
        (!answers.is_empty()).then(|| JsonObject::from_map(&answers))
    }
}

/// Answers as they are kept in the user's metadata.
pub(super) fn kept_as_metadata(answers: &JsonObject) -> JsonObject {
    let mut metadata = Members::default();
    metadata.set(ANSWERS, Json::Object(Members::parse(answers.as_str()).unwrap_or_default()));
    JsonObject::from(&metadata)
}

fn field(value: &Value) -> Result<(String, Value), FrontError> {
    if !value.is_object() && !value.is_array() {
        return Err(FrontError::bad_request("All elements of formFields must be an object"));
    }
    let (Some(Value::String(id)), Some(value)) = (value.get("id"), value.get("value")) else {
        return Err(FrontError::bad_request("All elements of formFields must contain an 'id' and 'value' field"));
    };
    match value {
        Value::String(address) if id == EMAIL => Ok((id.clone(), Value::String(address.trim().to_owned()))),
        Value::String(_) => Ok((id.clone(), value.clone())),
        _ if id == EMAIL || id == PASSWORD => Err(FrontError::bad_request(format!("{id} value must be a string"))),
        _ => Ok((id.clone(), value.clone())),
    }
}

/// The reply to a form with these errors.
pub(super) fn field_errors(errors: &[FieldError]) -> Reply {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct FieldErrorBody<'a> {
        status: &'static str,
        form_fields: &'a [FieldError],
    }
    reply::ok(&FieldErrorBody { status: "FIELD_ERROR", form_fields: errors })
}
