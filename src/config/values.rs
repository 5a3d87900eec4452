//! Values of settings: read from text of any source by the protocol's type rules, held by place in the table.

use crate::config::settings::{self, Default, Kind, Setting};
use crate::domain::secret::Secret;
use serde_json::Value as Json;
use std::fmt;

/// A setting's value.
#[derive(Clone)]
pub enum Value {
    /// None.
    Null,
    /// `Kind::Int` and `Kind::Long`.
    Int(i64),
    /// `Kind::Double`.
    Double(f64),
    /// `Kind::Bool`.
    Bool(bool),
    /// `Kind::Text`; every text is kept as a secret, because some are.
    Text(Secret<String>),
}

impl Value {
    /// The text of a `Kind::Text` setting.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.expose()),
            _ => None,
        }
    }

    /// As it would be written in a file; `setting` says whether it may be shown.
    #[must_use]
    pub fn shown(&self, setting: &Setting) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Int(number) => number.to_string(),
            Self::Double(number) => number.to_string(),
            Self::Bool(flag) => flag.to_string(),
            Self::Text(_) if setting.secret => "********".to_owned(),
            Self::Text(text) => text.expose().clone(),
        }
    }

    /// The built-in value of a setting.
    #[must_use]
    pub fn default_of(setting: &Setting) -> Self {
        match setting.default {
            Default::Null => Self::Null,
            Default::Int(number) => Self::Int(number),
            Default::Double(number) => Self::Double(number),
            Default::Bool(flag) => Self::Bool(flag),
            Default::Text(text) => Self::Text(Secret::new(text.to_owned())),
            Default::Cores => {
                let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
                Self::Int(i64::try_from(cores).unwrap_or(1))
            }
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Double(a), Self::Double(b)) => a == b,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a.expose() == b.expose(),
            _ => false,
        }
    }
}

/// A value as a source gave it, before its type is known.
pub struct Raw<'a> {
    /// Its text, without quotes.
    pub text: std::borrow::Cow<'a, str>,
    /// How it was written.
    pub written: Written,
}

impl fmt::Debug for Raw<'_> {
    /// Without the text: it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw").field("written", &self.written).finish_non_exhaustive()
    }
}

/// How a raw value was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// `null` or nothing.
    Null,
    /// A number.
    Number,
    /// Text, quoted or not, and truth values.
    Text,
    /// An array or an object: no setting has such a value.
    Compound,
}

impl<'a> Raw<'a> {
    /// A member of a `coreConfig`.
    #[must_use]
    pub fn from_json(json: &'a Json) -> Self {
        let (text, written) = match json {
            Json::Null => ("".into(), Written::Null),
            Json::Bool(flag) => (if *flag { "true" } else { "false" }.into(), Written::Text),
            Json::Number(number) => (number.to_string().into(), Written::Number),
            Json::String(text) => (text.as_str().into(), Written::Text),
            Json::Array(_) | Json::Object(_) => ("".into(), Written::Compound),
        };
        Self { text, written }
    }
}

/// Reads a raw value as the type of its setting.
///
/// # Errors
/// The protocol's sentence when it is no such value.
pub fn read(setting: &Setting, raw: &Raw<'_>) -> Result<Value, String> {
    let value = match raw.written {
        Written::Null => Some(default_of_null(setting)),
        Written::Compound => None,
        Written::Number | Written::Text => match setting.kind {
            Kind::Int => integer(raw).filter(|number| i32::try_from(*number).is_ok()).map(Value::Int),
            Kind::Long => integer(raw).map(Value::Int),
            Kind::Double => raw.text.trim().parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Double),
            Kind::Bool => truth(&raw.text).map(Value::Bool),
            Kind::Text => Some(Value::Text(Secret::new(raw.text.clone().into_owned()))),
        },
    };
    value.ok_or_else(|| format!("'{}' must be of type {}", setting.key, setting.kind.name()))
}

/// Null means the default for numbers and truth values, and no value for text.
fn default_of_null(setting: &Setting) -> Value {
    if setting.kind == Kind::Text && setting.one_of.is_empty() { Value::Null } else { Value::default_of(setting) }
}

/// Numbers may be whole in any notation (`1.0`), text must be plain digits.
fn integer(raw: &Raw<'_>) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Ok(number) = raw.text.parse() {
        return Some(number);
    }
    let number: f64 = if raw.written == Written::Number { raw.text.parse().ok()? } else { return None };
    #[expect(clippy::cast_possible_truncation, reason = "whole and within the range where every integer is exact")]
    let whole = (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64);
    whole
}

fn truth(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// A value for every setting of the table.
#[derive(Clone)]
pub struct Values(Vec<Value>);

impl Values {
    /// The built-in values.
    #[must_use]
    pub fn defaults() -> Self {
        Self(settings::ALL.iter().map(|setting| Value::default_of(setting)).collect())
    }

    /// Sets the value at a place of the table.
    pub fn set(&mut self, place: usize, value: Value) {
        if let Some(slot) = self.0.get_mut(place) {
            *slot = value;
        }
    }

    /// The value at a place of the table.
    #[must_use]
    pub fn at(&self, place: usize) -> &Value {
        self.0.get(place).unwrap_or(&Value::Null)
    }

    /// The value of a setting.
    #[must_use]
    pub fn value(&self, key: &str) -> &Value {
        debug_assert!(settings::place(key).is_some(), "{key} is in the table");
        settings::place(key).map_or(&Value::Null, |place| self.at(place))
    }

    /// The value of an integer setting; 0 for null.
    #[must_use]
    pub fn int(&self, key: &str) -> i64 {
        match self.value(key) {
            Value::Int(number) => *number,
            _ => 0,
        }
    }

    /// The value of an integer setting whose rule excludes negative numbers.
    #[must_use]
    pub fn unsigned(&self, key: &str) -> u64 {
        u64::try_from(self.int(key)).unwrap_or(0)
    }

    /// The value of a number setting; 0 for null.
    #[must_use]
    pub fn double(&self, key: &str) -> f64 {
        match self.value(key) {
            Value::Double(number) => *number,
            _ => 0.0,
        }
    }

    /// The value of a truth setting; false for null.
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.value(key), Value::Bool(true))
    }

    /// The value of a text setting.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.value(key).as_text()
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = settings::ALL.iter().zip(&self.0).map(|(setting, value)| (setting.key, value.shown(setting)));
        f.debug_map().entries(shown).finish()
    }
}
