//! [`Json`]: a caller's JSON as a tree, with every number as it was written.
//!
//! serde_json's own tree holds numbers as 64 bits: it turns larger ones into floats, `1e2` into `100.0` and `-0` into
//! `-0.0`. With its features for exact numbers and raw text it misinterprets objects that have certain member names. A
//! caller's data must come back as it was sent.

use super::raw::{RawMembers, put_text};
use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// Maximum nesting of objects and arrays: as deep as serde_json reads.
const MAX_DEPTH: usize = 127;

/// Numbers of up to this many characters are finite as floats unless they have an exponent.
const SURELY_FINITE: usize = 300;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as written: `1` and `1.0` differ.
    Number(Box<str>),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Members),
}

/// The members of an object in the order given; of duplicates the last counts, in the place of the first. Equality
/// ignores the order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members(IndexMap<String, Json>);

/// Why a text cannot be kept. Reveals nothing of the text itself: it may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonFlaw {
    /// It is of another type, or not JSON at all.
    #[error("is not a JSON object")]
    NotAnObject,
    /// A `\u` escape encodes half of a character.
    #[error("has half of a surrogate pair (such as \\ud83d alone): text that was cut inside a character")]
    LoneSurrogate,
    /// A number that is infinite as a float: most programs could not read it back.
    #[error("has a number beyond 1.8e308")]
    NumberTooLarge,
    /// Objects and arrays are nested too deeply.
    #[error("is nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
}

impl Json {
    /// The value of a text whose syntax has been checked.
    ///
    /// # Errors
    /// When it holds something that cannot be kept.
    pub fn of(raw: &RawValue) -> Result<Self, JsonFlaw> {
        Scanner { rest: raw.get() }.value(MAX_DEPTH)
    }

    /// True for `null`.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text, if it is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value, if it is a boolean.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if it has no fraction or exponent and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The nearest float, if it is a number.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The elements, if it is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(entries) => Some(entries),
            _ => None,
        }
    }

    /// The members, if it is an object.
    #[must_use]
    pub const fn as_object(&self) -> Option<&Members> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    fn write(&self, json: &mut String) {
        match self {
            Self::Null => json.push_str("null"),
            Self::Bool(value) => json.push_str(if *value { "true" } else { "false" }),
            Self::Number(text) => json.push_str(text),
            Self::Text(text) => put_text(json, text),
            Self::Array(entries) => {
                json.push('[');
                for (place, entry) in entries.iter().enumerate() {
                    if place > 0 {
                        json.push(',');
                    }
                    entry.write(json);
                }
                json.push(']');
            }
            Self::Object(members) => members.write(json),
        }
    }
}

impl Members {
    /// The members in a text whose syntax has been checked.
    ///
    /// # Errors
    /// When it is not an object, or holds something that cannot be kept.
    pub fn of(raw: &RawValue) -> Result<Self, JsonFlaw> {
        match Json::of(raw)? {
            Json::Object(members) => Ok(members),
            _ => Err(JsonFlaw::NotAnObject),
        }
    }

    /// The members of an object that has been scanned.
    ///
    /// # Errors
    /// The first member that holds something that cannot be kept, and why.
    pub fn of_scanned(scanned: RawMembers<'_>) -> Result<Self, (String, JsonFlaw)> {
        let mut members = IndexMap::with_capacity(scanned.len());
        for (name, raw) in scanned {
            match Json::of(raw) {
                Ok(value) => members.insert(name.into_owned(), value),
                Err(flaw) => return Err((name.into_owned(), flaw)),
            };
        }
        Ok(Self(members))
    }

    /// The members in a text.
    ///
    /// # Errors
    /// When it is not an object, or holds something that cannot be kept.
    pub fn parse(text: &str) -> Result<Self, JsonFlaw> {
        Self::of(serde_json::from_str(text).map_err(|_| JsonFlaw::NotAnObject)?)
    }

    /// The compact text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(128);
        self.write(&mut text);
        text
    }

    /// The member with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name)
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Sets a member: in its place if there is one with this name, otherwise at the end.
    pub fn set(&mut self, name: &str, value: Json) {
        self.0.insert(name.to_owned(), value);
    }

    /// Removes a member; the order of the others stays.
    pub fn remove(&mut self, name: &str) -> Option<Json> {
        self.0.shift_remove(name)
    }

    /// Removes the members that are `null`, here and in nested objects.
    pub fn remove_nulls(&mut self) {
        self.0.retain(|_, value| !value.is_null());
        for value in self.0.values_mut() {
            if let Json::Object(members) = value {
                members.remove_nulls();
            }
        }
    }

    /// Applies `change` to each object in the array with this name.
    pub fn each_in(&mut self, name: &str, mut change: impl FnMut(&mut Self)) {
        let Some(Json::Array(entries)) = self.0.get_mut(name) else { return };
        for entry in entries {
            if let Json::Object(members) = entry {
                change(members);
            }
        }
    }

    pub(super) fn write(&self, json: &mut String) {
        json.push('{');
        for (place, (name, value)) in self.0.iter().enumerate() {
            if place > 0 {
                json.push(',');
            }
            put_text(json, name);
            json.push(':');
            value.write(json);
        }
        json.push('}');
    }
}

/// For JSON text only: numbers are written as they are.
impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(text) => {
                let raw: &RawValue = serde_json::from_str(text).map_err(serde::ser::Error::custom)?;
                raw.serialize(serializer)
            }
            Self::Text(text) => serializer.serialize_str(text),
            Self::Array(entries) => serializer.collect_seq(entries),
            Self::Object(members) => members.serialize(serializer),
        }
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

/// For JSON text only.
impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(<&RawValue>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Parses a text whose syntax has been checked, in one pass.
struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    /// The next value, with at most this many levels of nesting.
    fn value(&mut self, depth: usize) -> Result<Json, JsonFlaw> {
        match self.next_byte() {
            Some(b'{') => self.object(depth.checked_sub(1).ok_or(JsonFlaw::TooDeep)?).map(Json::Object),
            Some(b'[') => self.array(depth.checked_sub(1).ok_or(JsonFlaw::TooDeep)?).map(Json::Array),
            Some(b'"') => self.text().map(Json::Text),
            _ => self.literal(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Members, JsonFlaw> {
        let mut members = IndexMap::new();
        self.skip(1);
        while self.next_byte().is_some_and(|byte| byte != b'}') {
            let name = self.text()?;
            self.next_byte();
            self.skip(1);
            members.insert(name, self.value(depth)?);
            self.skip_comma();
        }
        self.skip(1);
        Ok(Members(members))
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Json>, JsonFlaw> {
        let mut entries = Vec::new();
        self.skip(1);
        while self.next_byte().is_some_and(|byte| byte != b']') {
            entries.push(self.value(depth)?);
            self.skip_comma();
        }
        self.skip(1);
        Ok(entries)
    }

    fn text(&mut self) -> Result<String, JsonFlaw> {
        let (mut end, mut has_escapes) = (1, false);
        loop {
            match self.rest.as_bytes().get(end) {
                None | Some(b'"') => break,
                Some(b'\\') => (end, has_escapes) = (end + 2, true),
                Some(_) => end += 1,
            }
        }
        let quoted = self.take(end + 1);
        if has_escapes {
            // Everything else about the string has been checked.
            return serde_json::from_str(quoted).map_err(|_| JsonFlaw::LoneSurrogate);
        }
        Ok(quoted.trim_matches('"').to_owned())
    }

    fn literal(&mut self) -> Result<Json, JsonFlaw> {
        let is_end = |byte: u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
        let end = self.rest.bytes().position(is_end).unwrap_or(self.rest.len());
        match self.take(end) {
            "null" => Ok(Json::Null),
            "true" => Ok(Json::Bool(true)),
            "false" => Ok(Json::Bool(false)),
            number if is_finite(number) => Ok(Json::Number(number.into())),
            _ => Err(JsonFlaw::NumberTooLarge),
        }
    }

    /// The next byte that is not blank, without consuming it.
    fn next_byte(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.as_bytes().first().copied()
    }

    fn skip_comma(&mut self) {
        if self.next_byte() == Some(b',') {
            self.skip(1);
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.take(bytes);
    }

    /// Consumes this many bytes, or whatever is left.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }
}

fn is_finite(number: &str) -> bool {
    let is_short = number.len() <= SURELY_FINITE && !number.bytes().any(|byte| matches!(byte, b'e' | b'E'));
    is_short || number.parse().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn read(text: &str) -> Result<Json, JsonFlaw> {
        Json::of(serde_json::from_str(text).unwrap())
    }

    fn compact(text: &str) -> String {
        let mut out = String::new();
        read(text).unwrap().write(&mut out);
        out
    }

    #[test]
    fn numbers_stay_as_they_were_written() {
        for number in [
            "1000000000000000000000001",
            "-9223372036854775809",
            "18446744073709551616",
            "9007199254740993",
            "0.1000000000000000055511151231257827",
            "1e2",
            "1E+2",
            "1.0",
            "1.00",
            "-0",
            "-0.0",
            "0",
            "1e-999",
            "1.7976931348623157e308",
            &"9".repeat(308),
        ] {
            for text in [number.to_owned(), format!("[{number}]"), format!(r#"{{"a":{{"b":[{number},1]}}}}"#)] {
                assert_eq!(compact(&text), text);
            }
        }
        for number in ["1e999", "-1e309", &"9".repeat(400)] {
            assert_eq!(read(number), Err(JsonFlaw::NumberTooLarge), "{number}");
        }
    }

    #[test]
    fn text_is_the_same_text_and_half_a_character_is_none() {
        assert_eq!(compact(r#" { "\u00e9\"" : "\ud83d\ude00\/" , "b" : [ ] } "#), r#"{"é\"":"😀/","b":[]}"#);
        for half in [
            r#""\ud83d""#,
            r#""\ude00""#,
            r#""\ud83d\ud83d""#,
            r#""a\ud83db""#,
            r#"{"\ud83d":1}"#,
            r#"[{"a":["\udc00"]}]"#,
        ] {
            assert_eq!(read(half), Err(JsonFlaw::LoneSurrogate), "{half}");
        }
    }

    #[test]
    fn objects_are_equal_whatever_the_order_and_names_mean_nothing() {
        assert_eq!(read(r#"{"a":1,"b":[{"c":1.0,"d":null}]}"#), read(r#"{"b":[{"d":null,"c":1.0}],"a":1}"#));
        assert_ne!(read("[1,2]"), read("[2,1]"));
        assert_ne!(read("1"), read("1.0"));
        assert_eq!(compact(r#"{"a":1,"b":2,"a":3}"#), r#"{"a":3,"b":2}"#);
        for name in ["$serde_json::private::Number", "$serde_json::private::RawValue"] {
            let text = format!(r#"{{"a":{{"{name}":"1"}}}}"#);
            assert_eq!(compact(&text), text);
        }
    }

    #[test]
    fn what_is_kept_can_be_read_again_however_deep() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(compact(&nested(MAX_DEPTH)), nested(MAX_DEPTH));
        assert!(serde_json::from_str::<Value>(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(read(&nested(MAX_DEPTH + 1)), Err(JsonFlaw::TooDeep));
        assert!(serde_json::from_str::<Value>(&nested(MAX_DEPTH + 1)).is_err());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_json_is_read_as_serde_json_writes_it(value in any_json()) {
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                prop_assert_eq!(compact(&text), value.to_string());
            }
            prop_assert_eq!(serde_json::to_string(&read(&value.to_string()).unwrap()).unwrap(), value.to_string());
        }
    }
}
