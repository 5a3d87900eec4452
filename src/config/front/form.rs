//! `sign_up_form_fields`: what people are asked for at sign-up.

use crate::config::values::Values;
use crate::domain::json::reader::ConfigFlaw;
use serde::Deserialize;
use serde_json::Value;

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

/// The setting's name.
pub(super) const KEY: &str = "sign_up_form_fields";

/// The fields in their order. `email` and `password` are always there and never optional; where the list lacks them,
/// they follow: password, then e-mail (protocol: 21, 4).
pub(super) fn sign_up_fields(values: &Values) -> Result<Vec<FormField>, Vec<ConfigFlaw>> {
    let mut fields = read(values.text(KEY).unwrap_or("[]"))?;
    for id in ["password", "email"] {
        match fields.iter_mut().find(|field| field.id == id) {
            Some(field) => field.optional = false,
            None => fields.push(FormField { id: id.to_owned(), optional: false }),
        }
    }
    Ok(fields)
}

fn read(text: &str) -> Result<Vec<FormField>, Vec<ConfigFlaw>> {
    let entries: Value = serde_json::from_str(text).map_err(|error| vec![ConfigFlaw::syntax(KEY, &error)])?;
    let Value::Array(entries) = entries else {
        return Err(vec![ConfigFlaw::new(KEY, "must be a list of objects with an id, in JSON")]);
    };
    let (mut fields, mut flaws) = (Vec::<FormField>::new(), Vec::new());
    for (index, entry) in entries.into_iter().enumerate() {
        let place = format!("{KEY}[{index}]");
        match FormField::deserialize(entry) {
            Err(error) => flaws.push(ConfigFlaw::new(place, format!("is no field of a form: {error}"))),
            Ok(field) if field.id.is_empty() => flaws.push(ConfigFlaw::new(format!("{place}.id"), "must not be empty")),
            Ok(field) if fields.iter().any(|other| other.id == field.id) => {
                flaws.push(ConfigFlaw::new(format!("{place}.id"), "is that of an earlier field"));
            }
            Ok(field) => fields.push(field),
        }
    }
    if flaws.is_empty() { Ok(fields) } else { Err(flaws) }
}
