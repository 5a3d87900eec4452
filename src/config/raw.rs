//! A value as given by a source, and its conversion to the type of its setting.

use crate::config::settings::{Kind, Setting};
use crate::config::values::Value;
use crate::domain::secret::Secret;
use crate::domain::text;
use serde_json::Value as Json;
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

/// A value as given by a source, before its type is known. White space at both ends never counts, whatever the source:
/// all constructors remove it.
pub struct Raw<'a>(Form<'a>);

enum Form<'a> {
    /// `null`, or no value at all.
    Null,
    /// A number by the source's own syntax.
    Number(Cow<'a, str>),
    /// Text, quoted or not, and booleans.
    Text(Cow<'a, str>),
    /// Text that is not Unicode: allowed only for a path.
    NotUnicode(OsString),
    /// A list or an object, as JSON; empty where the setting is none.
    Compound(String),
}

impl<'a> Raw<'a> {
    /// Text that was quoted, or comes from a source that has only text.
    #[must_use]
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self(Form::Text(trimmed(text.into())))
    }

    /// Unquoted text in YAML: null, a number or text.
    #[must_use]
    pub fn plain(text: impl Into<Cow<'a, str>>) -> Self {
        let text = trimmed(text.into());
        Self(match &*text {
            "" | "~" | "null" | "Null" | "NULL" => Form::Null,
            number if number.parse::<f64>().is_ok_and(f64::is_finite) => Form::Number(text),
            _ => Form::Text(text),
        })
    }

    /// An argument or a variable.
    #[must_use]
    pub fn of_process(given: &'a OsStr) -> Self {
        match given.to_str() {
            Some(text) => Self::text(text),
            None => Self(Form::NotUnicode(trim_os(given).to_owned())),
        }
    }

    /// A list or an object, as JSON.
    #[must_use]
    pub const fn compound(json: String) -> Self {
        Self(Form::Compound(json))
    }

    /// A member of a `coreConfig`.
    #[must_use]
    pub fn from_json(json: &'a Json) -> Self {
        match json {
            Json::Null => Self(Form::Null),
            Json::Bool(flag) => Self::text(if *flag { "true" } else { "false" }),
            Json::Number(number) => Self(Form::Number(number.to_string().into())),
            Json::String(text) => Self::text(text.as_str()),
            Json::Array(_) | Json::Object(_) => Self::compound(json.to_string()),
        }
    }

    /// Whether it is `null` or has no value at all.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self.0, Form::Null)
    }

    /// Its text, if it is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.0 {
            Form::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl fmt::Debug for Raw<'_> {
    /// Leaves out the text: it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Form::Null => "Raw(null)",
            Form::Number(_) => "Raw(number)",
            Form::Text(_) | Form::NotUnicode(_) => "Raw(text)",
            Form::Compound(_) => "Raw(compound)",
        })
    }
}

/// Why a raw value is not valid for its setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// The protocol's sentence, or one of ours where the protocol has none.
    sentence: String,
    /// The value in quotes, when it may be shown.
    shown: Option<String>,
    /// Whether it contains an invisible character.
    is_hidden: bool,
}

impl ReadError {
    /// The sentence for the operator of the server: includes the value.
    #[must_use]
    pub fn with_value(&self) -> String {
        match &self.shown {
            Some(shown) => format!("{}, not {shown}", self.sentence),
            None => self.sentence.clone(),
        }
    }

    /// The sentence for a caller: the protocol's; it includes the value only where part of it is invisible.
    #[must_use]
    pub fn for_caller(&self) -> String {
        if self.is_hidden { self.with_value() } else { self.sentence.clone() }
    }
}

/// Reads a raw value as the type of its setting.
///
/// # Errors
/// When the value is of another type.
pub fn read(setting: &Setting, raw: &Raw<'_>) -> Result<Value, ReadError> {
    let value = match &raw.0 {
        Form::Null => Some(default_of_null(setting)),
        Form::Compound(json) if setting.kind == Kind::Json => Some(Value::Text(Secret::new(json.clone()))),
        Form::Compound(_) => None,
        Form::NotUnicode(path) if setting.kind == Kind::Path => Some(Value::Path(PathBuf::from(path))),
        Form::NotUnicode(_) => {
            let sentence = format!("'{}' must be valid UTF-8", setting.key);
            return Err(ReadError { sentence, shown: None, is_hidden: true });
        }
        Form::Number(text) | Form::Text(text) => match setting.kind {
            Kind::Int => integer(raw, text).filter(|number| i32::try_from(*number).is_ok()).map(Value::Int),
            Kind::Long => integer(raw, text).map(Value::Int),
            Kind::Double => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Double),
            Kind::Bool => truth(text).map(Value::Bool),
            Kind::Text | Kind::Json => Some(Value::Text(Secret::new(text.clone().into_owned()))),
            Kind::Path => Some(Value::Path(PathBuf::from(&**text))),
        },
    };
    value.ok_or_else(|| {
        let (shown, is_hidden) = match &raw.0 {
            Form::Number(text) | Form::Text(text) if !setting.secret => {
                (Some(text::quote(text)), text.chars().any(text::is_invisible))
            }
            Form::Compound(_) => (Some("a list or an object".to_owned()), false),
            _ => (None, false),
        };
        let sentence = format!("'{}' must be of type {}", setting.key, setting.kind.name());
        ReadError { sentence, shown, is_hidden }
    })
}

/// Checks that a reader sees the whole of a text: an invisible character inside a value is a mistake. API keys and JSON
/// are the exceptions: white space between their parts does not count. In paths, where people use more kinds of space, only control
/// characters are refused.
///
/// # Errors
/// A sentence that names the character, and shows the value unless it is a secret.
pub fn check_visible(setting: &Setting, value: &Value) -> Result<(), String> {
    let lossy;
    let (text, hidden): (&str, fn(char) -> bool) = match value {
        Value::Text(_) if setting.key == "api_keys" || setting.kind == Kind::Json => return Ok(()),
        Value::Text(text) => (text.expose(), text::is_invisible),
        Value::Path(path) => {
            lossy = path.to_string_lossy();
            (&lossy, char::is_control)
        }
        Value::Null | Value::Int(_) | Value::Double(_) | Value::Bool(_) => return Ok(()),
    };
    let Some(found) = text.chars().find(|char| hidden(*char)) else { return Ok(()) };
    let (key, character) = (setting.key, text::escape(found.encode_utf8(&mut [0; 4])));
    let value = if setting.secret { String::new() } else { format!(": {}", text::quote(text)) };
    Err(format!("'{key}' holds the invisible character {character}{value}"))
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text::trim(text)),
        Cow::Owned(text) => Cow::Owned(text::trim(&text).to_owned()),
    }
}

/// [`text::trim`] for text that may not be Unicode.
#[must_use]
pub fn trim_os(given: &OsStr) -> &OsStr {
    if let Some(text) = given.to_str() {
        return OsStr::new(text::trim(text));
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let bytes = given.as_bytes();
        let first = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let last =
            bytes.utf8_chunks().last().filter(|chunk| chunk.invalid().is_empty()).map_or("", |chunk| chunk.valid());
        let start = first.len() - first.trim_start_matches(text::is_blank).len();
        let end = bytes.len() - (last.len() - last.trim_end_matches(text::is_blank).len());
        OsStr::from_bytes(bytes.get(start..end).unwrap_or(bytes))
    }
    #[cfg(not(unix))]
    given
}

/// Null means the default for numbers and booleans, and no value for text.
fn default_of_null(setting: &Setting) -> Value {
    let is_text = matches!(setting.kind, Kind::Text | Kind::Json | Kind::Path);
    if is_text && setting.one_of.is_empty() { Value::Null } else { Value::default_of(setting) }
}

/// Numbers may be whole numbers in any notation (`1.0`); text must be plain digits.
fn integer(raw: &Raw<'_>, text: &str) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number: f64 = if matches!(raw.0, Form::Number(_)) { text.parse().ok()? } else { return None };
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
