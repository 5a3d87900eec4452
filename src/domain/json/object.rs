//! [`JsonObject`]: a caller's JSON object, kept as text and parsed only where a rule needs its content.

use super::raw::{RawMembers, put_text};
use super::tree::{JsonFlaw, Members};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// A JSON object as compact text: members in the order given, duplicates resolved (the last wins), numbers as written.
#[derive(Debug, Clone)]
pub struct JsonObject(Text);

#[derive(Debug, Clone)]
enum Text {
    /// To be checked by the serializer each time.
    Plain(Arc<str>),
    /// Checked once, for what is serialized often.
    Checked(Arc<RawValue>),
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Plain(text.into())
    }
}

impl PartialEq for JsonObject {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for JsonObject {}

impl JsonObject {
    /// The empty object, `{}`.
    #[must_use]
    pub fn empty() -> Self {
        Self(Text::Plain(Arc::from("{}")))
    }

    /// The object in a text whose syntax has been checked.
    ///
    /// # Errors
    /// When it is not an object, or holds something that cannot be kept.
    pub fn of(raw: &RawValue) -> Result<Self, JsonFlaw> {
        if raw.get() == "{}" { Ok(Self::empty()) } else { Members::of(raw).map(|members| Self::from(&members)) }
    }

    /// The object in a text.
    ///
    /// # Errors
    /// When it is not an object, or holds something that cannot be kept.
    pub fn parse(text: &str) -> Result<Self, JsonFlaw> {
        Self::of(serde_json::from_str(text).map_err(|_| JsonFlaw::NotAnObject)?)
    }

    /// The object with the members of `map`.
    #[must_use]
    pub fn from_map(map: &Map<String, Value>) -> Self {
        // invariant: a map with string keys always serialises
        Self(serde_json::to_string(map).unwrap_or_else(|_| "{}".to_owned()).into())
    }

    /// Wraps text that this type produced before (a stored record).
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text.into())
    }

    /// The same object, with its syntax checked now instead of each time it is serialized. Stored text that is no JSON
    /// stays as it is.
    #[must_use]
    pub fn checked(self) -> Self {
        let raw = serde_json::from_str(self.as_str()).map(<RawValue as ToOwned>::to_owned);
        match raw {
            Ok(raw) => Self(Text::Checked(raw.into())),
            Err(_) => self,
        }
    }

    /// The compact text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Plain(text) => text,
            Text::Checked(raw) => raw.get(),
        }
    }

    /// The members, parsed: for settings, whose numbers have 64 bits. `None` only if the stored text is not an object.
    #[must_use]
    pub fn to_map(&self) -> Option<Map<String, Value>> {
        serde_json::from_str(self.as_str()).ok()
    }

    /// The members as text; none if the stored text is not an object.
    #[must_use]
    pub fn members(&self) -> RawMembers<'_> {
        serde_json::from_str(self.as_str()).unwrap_or_default()
    }

    /// True when both hold the same members with the same values, in any order. Numbers are equal when they are written
    /// alike.
    #[must_use]
    pub fn same_value(&self, other: &Self) -> bool {
        self == other
            || matches!((Members::parse(self.as_str()), Members::parse(other.as_str())), (Ok(a), Ok(b)) if a == b)
    }
}

impl From<&Members> for JsonObject {
    fn from(members: &Members) -> Self {
        Self(members.to_text().into())
    }
}

/// Joins members that have been scanned; each name must occur only once.
impl<'a> FromIterator<(Cow<'a, str>, &'a RawValue)> for JsonObject {
    fn from_iter<T: IntoIterator<Item = (Cow<'a, str>, &'a RawValue)>>(members: T) -> Self {
        let mut text = "{".to_owned();
        for (name, raw) in members {
            if text.len() > 1 {
                text.push(',');
            }
            put_text(&mut text, &name);
            text.push(':');
            text.push_str(raw.get());
        }
        text.push('}');
        Self(text.into())
    }
}

impl Serialize for JsonObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Text::Plain(text) => {
                let raw: &RawValue = serde_json::from_str(text).map_err(serde::ser::Error::custom)?;
                raw.serialize(serializer)
            }
            Text::Checked(raw) => raw.serialize(serializer),
        }
    }
}

/// Stores a [`JsonObject`] in a record as text: `#[serde(with = "json::as_text")]`.
pub mod as_text {
    use super::JsonObject;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the compact text.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(object: &JsonObject, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(object.as_str())
    }

    /// Restores the text as it is.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<JsonObject, D::Error> {
        String::deserialize(deserializer).map(JsonObject::from_stored)
    }
}
