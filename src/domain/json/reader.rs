//! Reads configurations from JSON; a mistake is reported with its place.

use super::{Json, Members};
use serde_json::value::RawValue;

/// A mistake in a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place} {problem}")]
pub struct ConfigFlaw {
    /// The member, such as `third_party_providers[1].clients[0].clientId`.
    pub place: String,
    /// What is wrong with it. Never shows the value: it may be a secret.
    pub problem: String,
}

impl ConfigFlaw {
    /// A mistake at a place.
    #[must_use]
    pub fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into() }
    }
}

/// The JSON in a text.
///
/// # Errors
/// Where it is wrong.
pub fn parse(text: &str, place: &str) -> Result<Json, ConfigFlaw> {
    let flawed = |error: &serde_json::Error| {
        ConfigFlaw::new(place, format!("must be JSON: wrong at line {}, column {}", error.line(), error.column()))
    };
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| flawed(&error))?;
    Json::of(raw).map_err(|flaw| ConfigFlaw::new(place, flaw.to_string()))
}

/// An object and where it is.
pub struct Reader<'a> {
    pub(in crate::domain) members: &'a Members,
    pub(in crate::domain) place: String,
    /// Whether unknown members and empty texts are mistakes.
    pub(in crate::domain) is_strict: bool,
}

impl<'a> Reader<'a> {
    /// The object `json`, which is at `place`.
    ///
    /// # Errors
    /// When it is no object.
    pub fn of(json: &'a Json, place: String, is_strict: bool) -> Result<Self, ConfigFlaw> {
        match json.as_object() {
            Some(members) => Ok(Self { members, place, is_strict }),
            None => Err(ConfigFlaw::new(place, "must be an object")),
        }
    }

    /// Checks that it has only these members, unless it is read leniently.
    ///
    /// # Errors
    /// The first member that is unknown.
    pub fn knows_all(&self, known: &[&str]) -> Result<(), ConfigFlaw> {
        match self.members.iter().map(|(name, _)| name).find(|name| !known.contains(name)) {
            Some(unknown) if self.is_strict => Err(self.flaw(unknown, "is unknown")),
            _ => Ok(()),
        }
    }

    /// A mistake in a member.
    #[must_use]
    pub fn flaw(&self, name: &str, problem: impl Into<String>) -> ConfigFlaw {
        ConfigFlaw::new(format!("{}.{name}", self.place), problem)
    }

    /// The member, unless it is `null`.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&'a Json> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// The object in a member.
    ///
    /// # Errors
    /// When it is no object.
    pub fn inner(&self, name: &str) -> Result<Option<Self>, ConfigFlaw> {
        self.given(name).map(|json| Self::of(json, format!("{}.{name}", self.place), self.is_strict)).transpose()
    }

    /// The text in a member.
    ///
    /// # Errors
    /// When it is no text, or empty.
    pub fn filled(&self, name: &str) -> Result<Option<String>, ConfigFlaw> {
        let Some(given) = self.given(name) else { return Ok(None) };
        match given.as_str() {
            Some("") if !self.is_strict => Ok(None),
            Some(text) if !text.is_empty() => Ok(Some(text.to_owned())),
            _ => Err(self.flaw(name, "must be a text that is not empty")),
        }
    }

    /// The text in a member that must be there.
    ///
    /// # Errors
    /// When it is missing, no text, or empty.
    pub fn required(&self, name: &str) -> Result<String, ConfigFlaw> {
        self.filled(name)?.ok_or_else(|| self.flaw(name, "is missing"))
    }

    /// The boolean in a member.
    ///
    /// # Errors
    /// When it is none.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, ConfigFlaw> {
        let Some(given) = self.given(name) else { return Ok(None) };
        given.as_bool().map(Some).ok_or_else(|| self.flaw(name, "must be true or false"))
    }

    /// The texts in a member that is a list of them.
    ///
    /// # Errors
    /// When it is no such list.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<String>>, ConfigFlaw> {
        let Some(given) = self.given(name) else { return Ok(None) };
        let entries = given.as_array().ok_or_else(|| self.flaw(name, "must be a list of texts"))?;
        let text = |(index, entry): (usize, &Json)| {
            let text = entry.as_str().filter(|text| !text.is_empty());
            text.map(str::to_owned).ok_or_else(|| self.flaw(&format!("{name}[{index}]"), "must be a text"))
        };
        entries.iter().enumerate().map(text).collect::<Result<_, _>>().map(Some)
    }
}
