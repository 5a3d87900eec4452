//! [`JsonObject`]: a caller's JSON object, kept as text and parsed only where a rule looks inside.

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A JSON object as compact text; members in the order in which they were given, duplicates resolved (the last wins).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonObject(Arc<str>);

impl JsonObject {
    /// `{}`.
    #[must_use]
    pub fn empty() -> Self {
        Self(Arc::from("{}"))
    }

    /// The object with the members of `map`.
    #[must_use]
    pub fn from_map(map: &Map<String, Value>) -> Self {
        // invariant: a map with string keys always serialises
        Self(serde_json::to_string(map).unwrap_or_else(|_| "{}".to_owned()).into())
    }

    /// Takes text that this type produced before (a stored record).
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text.into())
    }

    /// The compact text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The members, parsed. `None` only if stored text was not an object.
    #[must_use]
    pub fn to_map(&self) -> Option<Map<String, Value>> {
        serde_json::from_str(&self.0).ok()
    }

    /// True when both hold the same members with the same values, whatever their order.
    #[must_use]
    pub fn same_value(&self, other: &Self) -> bool {
        self.0 == other.0 || self.to_map() == other.to_map()
    }
}

impl Serialize for JsonObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// A member's name as a map visitor reads it: borrowed from the text unless it has escapes.
pub struct MemberName<'a>(pub Cow<'a, str>);

impl<'de> Deserialize<'de> for MemberName<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(MemberNameVisitor).map(Self)
    }
}

struct MemberNameVisitor;

impl<'de> Visitor<'de> for MemberNameVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// Keeps a [`JsonObject`] in a record as text: `#[serde(with = "json::as_text")]`.
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

    /// Takes the text back as it is.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<JsonObject, D::Error> {
        String::deserialize(deserializer).map(JsonObject::from_stored)
    }
}
