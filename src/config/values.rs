//! Values of settings, indexed by position in the table.

use crate::config::settings::{self, Default, Kind, Setting};
use crate::domain::secret::Secret;
use std::fmt;
use std::path::{Path, PathBuf};

/// A setting's value.
#[derive(Clone)]
pub enum Value {
    /// No value.
    Null,
    /// An integer: `Kind::Int` and `Kind::Long`.
    Int(i64),
    /// A number: `Kind::Double`.
    Double(f64),
    /// A boolean: `Kind::Bool`.
    Bool(bool),
    /// Text: `Kind::Text`. Every text is kept as a secret, because some are.
    Text(Secret<String>),
    /// A path: `Kind::Path`.
    Path(PathBuf),
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

    /// The value as it would be written in a file; `setting` determines whether it may be shown.
    #[must_use]
    pub fn shown(&self, setting: &Setting) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Int(number) => number.to_string(),
            Self::Double(number) => number.to_string(),
            Self::Bool(flag) => flag.to_string(),
            Self::Text(_) if setting.secret => "********".to_owned(),
            Self::Text(text) => text.expose().clone(),
            Self::Path(path) => path.display().to_string(),
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
            Default::Text(path) if setting.kind == Kind::Path => Self::Path(path.into()),
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
            (Self::Path(a), Self::Path(b)) => a == b,
            _ => false,
        }
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

    /// Sets the value at a position in the table.
    pub fn set(&mut self, place: usize, value: Value) {
        if let Some(slot) = self.0.get_mut(place) {
            *slot = value;
        }
    }

    /// The value at a position in the table.
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

    /// The value of a boolean setting; false for null.
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.value(key), Value::Bool(true))
    }

    /// The value of a path setting; none for null and for an empty one.
    #[must_use]
    pub fn path(&self, key: &str) -> Option<&Path> {
        match self.value(key) {
            Value::Path(path) if !path.as_os_str().is_empty() => Some(path),
            _ => None,
        }
    }

    /// The value of a path setting whose default is none; `null` in a variable means that too.
    #[must_use]
    pub fn given_path(&self, key: &str) -> Option<&Path> {
        self.path(key).filter(|path| path.as_os_str() != "null")
    }

    /// The items of a text setting that is a comma-separated list, without blank ones.
    pub fn list(&self, key: &str) -> impl Iterator<Item = &str> {
        self.text(key).unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty())
    }

    /// True if a text setting has this value, compared without regard to case.
    #[must_use]
    pub fn is(&self, key: &str, value: &str) -> bool {
        self.text(key).is_some_and(|text| text.eq_ignore_ascii_case(value))
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
