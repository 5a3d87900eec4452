//! Reads configurations from JSON; every mistake is reported with its place.

use super::{Json, Members};
use serde_json::value::RawValue;
use std::cell::RefCell;

/// A mistake in a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place} {problem}")]
pub struct ConfigFlaw {
    /// The member, such as `third_party_providers[1].clients[0].clientId`.
    pub place: String,
    /// What is wrong with it. Never shows the value: it may be a secret.
    pub problem: String,
    /// Where in the text the syntax is wrong: line and column, counted from 1.
    pub syntax: Option<(usize, usize)>,
}

impl ConfigFlaw {
    /// A mistake at a place.
    #[must_use]
    pub fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into(), syntax: None }
    }

    /// Text that is not JSON.
    #[must_use]
    pub fn syntax(place: impl Into<String>, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let problem = format!("must be JSON: wrong at line {line}, column {column}");
        Self { syntax: Some((line, column)), ..Self::new(place, problem) }
    }
}

/// The JSON in a text.
///
/// # Errors
/// Where it is wrong.
pub fn parse(text: &str, place: &str) -> Result<Json, ConfigFlaw> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| ConfigFlaw::syntax(place, &error))?;
    Json::of(raw).map_err(|flaw| ConfigFlaw::new(place, flaw.to_string()))
}

/// The mistakes found so far.
#[derive(Default)]
pub struct Notes(RefCell<Vec<ConfigFlaw>>);

impl Notes {
    fn add(&self, place: String, problem: &str) {
        self.0.borrow_mut().push(ConfigFlaw::new(place, problem));
    }

    /// What was read, if nothing was wrong with it.
    ///
    /// # Errors
    /// Every mistake.
    pub fn or<T>(self, read: T) -> Result<T, Vec<ConfigFlaw>> {
        let flaws = self.0.into_inner();
        if flaws.is_empty() { Ok(read) } else { Err(flaws) }
    }
}

/// An object and where it is. Mistakes are noted, and what is wrong is read as missing.
pub struct Reader<'a> {
    pub(in crate::domain) members: &'a Members,
    pub(in crate::domain) place: String,
    pub(in crate::domain) notes: &'a Notes,
    /// Whether unknown members and empty texts are mistakes.
    pub(in crate::domain) is_strict: bool,
}

impl<'a> Reader<'a> {
    /// The object `json`, which is at `place`; `None` if it is none.
    pub fn of(json: &'a Json, place: String, notes: &'a Notes, is_strict: bool) -> Option<Self> {
        let Some(members) = json.as_object() else {
            notes.add(place, "must be an object");
            return None;
        };
        Some(Self { members, place, notes, is_strict })
    }

    /// The object below this one.
    pub(in crate::domain) fn below(&self, json: &'a Json, name: &str) -> Option<Self> {
        Self::of(json, format!("{}.{name}", self.place), self.notes, self.is_strict)
    }

    /// Checks that it has only these members, unless it is read leniently.
    pub fn knows_all(&self, known: &[&str]) {
        for (unknown, _) in self.members.iter().filter(|(name, _)| self.is_strict && !known.contains(name)) {
            self.note(unknown, "is unknown");
        }
    }

    /// Notes a mistake in a member.
    pub fn note(&self, name: &str, problem: &str) {
        self.notes.add(format!("{}.{name}", self.place), problem);
    }

    /// Every member with its name, for objects whose names are data, such as hosts.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Json)> {
        self.members.iter()
    }

    /// Notes a mistake in a member whose name is data: it may have dots.
    pub fn note_entry(&self, name: &str, problem: &str) {
        self.notes.add(format!("{}[\"{name}\"]", self.place), problem);
    }

    /// The member, unless it is `null`.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&'a Json> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// The object in a member.
    #[must_use]
    pub fn inner(&self, name: &str) -> Option<Self> {
        self.below(self.given(name)?, name)
    }

    /// The list in a member; `problem` says what it must be.
    #[must_use]
    pub fn list(&self, name: &str, problem: &str) -> Option<&'a [Json]> {
        let entries = self.given(name)?.as_array();
        if entries.is_none() {
            self.note(name, problem);
        }
        entries
    }

    /// The text in a member.
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<String> {
        match self.given(name)?.as_str() {
            Some("") if !self.is_strict => None,
            Some(text) if !text.is_empty() => Some(text.to_owned()),
            _ => {
                self.note(name, "must be a text that is not empty");
                None
            }
        }
    }

    /// The text in a member that must be there; empty if it is not.
    #[must_use]
    pub fn required(&self, name: &str) -> String {
        let is_missing = self.given(name).is_none_or(|given| !self.is_strict && given.as_str() == Some(""));
        if is_missing {
            self.note(name, "is missing");
        }
        self.filled(name).unwrap_or_default()
    }

    /// The boolean in a member.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        let flag = self.given(name)?.as_bool();
        if flag.is_none() {
            self.note(name, "must be true or false");
        }
        flag
    }

    /// The texts in a member that is a list of them; empty where one is wrong.
    #[must_use]
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        let text = |(index, entry): (usize, &Json)| {
            let text = entry.as_str().filter(|text| !text.is_empty());
            if text.is_none() {
                self.note(&format!("{name}[{index}]"), "must be a text");
            }
            text.unwrap_or_default().to_owned()
        };
        Some(self.list(name, "must be a list of texts")?.iter().enumerate().map(text).collect())
    }
}
