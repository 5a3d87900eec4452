//! `sign_up_form_fields`: what people are asked for at sign-up.

use crate::config::values::Values;
use serde::Deserialize;

/// A field of the sign-up form.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormField {
    /// Its name in requests.
    pub id: String,
    /// Whether it may be left empty.
    #[serde(default)]
    pub optional: bool,
}

const KEY: &str = "sign_up_form_fields";

/// The fields in their order. `email` and `password` are always there and never optional; where the list lacks them,
/// they follow: password, then e-mail (protocol: 21, 4).
pub(super) fn sign_up_fields(values: &Values) -> Result<Vec<FormField>, String> {
    let text = values.text(KEY).unwrap_or("[]");
    let mut fields: Vec<FormField> = serde_json::from_str(text)
        .map_err(|error| format!("'{KEY}' must be a JSON list of objects with an id: {error}"))?;
    for (place, field) in fields.iter().enumerate() {
        if field.id.is_empty() {
            return Err(format!("'{KEY}[{place}].id' must not be empty"));
        }
        if fields.iter().take(place).any(|other| other.id == field.id) {
            return Err(format!("'{KEY}[{place}].id' is there twice: {}", field.id));
        }
    }
    for id in ["password", "email"] {
        match fields.iter_mut().find(|field| field.id == id) {
            Some(field) => field.optional = false,
            None => fields.push(FormField { id: id.to_owned(), optional: false }),
        }
    }
    Ok(fields)
}
