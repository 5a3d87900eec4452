//! Readers of JSON bodies and queries that refuse bad input with the protocol's own sentences.
//!
//! A body is scanned once into its members, borrowed and unparsed. A handler then reads them in the protocol's order,
//! so that the reply names the first wrong field.

use crate::domain::ids::UserId;
use crate::domain::json::{Json, JsonFlaw, JsonObject, Members, RawMembers};
use crate::http::error::ApiError;
use crate::http::exchange::Request;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The members of a JSON object, not parsed yet.
pub struct Body<'a> {
    members: RawMembers<'a>,
}

impl<'a> Body<'a> {
    /// Scans a request's body.
    ///
    /// # Errors
    /// 400 `Invalid Json Input` unless it is one JSON object in UTF-8.
    pub fn of(request: &'a Request) -> Result<Self, ApiError> {
        Self::parse(&request.body)
    }

    /// Scans bytes; see [`Body::of`].
    ///
    /// # Errors
    /// 400 `Invalid Json Input` unless they are one JSON object in UTF-8.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ApiError> {
        let text = std::str::from_utf8(bytes).ok();
        let members = text.and_then(|text| serde_json::from_str(text).ok());
        Ok(Self { members: members.ok_or_else(|| ApiError::bad_request("Invalid Json Input"))? })
    }

    /// A member's raw text. Of duplicates, the last one counts.
    fn raw(&self, name: &str) -> Option<&'a str> {
        self.members.get(name).map(RawValue::get)
    }

    /// True if there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// True if the member is present, whatever its value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// True if the member is present and `null`.
    #[must_use]
    pub fn is_null(&self, name: &str) -> bool {
        self.raw(name) == Some("null")
    }

    /// All members, parsed.
    ///
    /// # Errors
    /// 400 when one of them holds something that cannot be stored.
    pub fn into_members(self) -> Result<Members, ApiError> {
        Members::of_scanned(self.members).map_err(|(name, flaw)| flawed_field(&name, flaw))
    }

    fn required<T>(&self, name: &str, read: fn(&'a str) -> Option<T>) -> Result<T, ApiError> {
        self.optional(name, read)?.ok_or_else(|| invalid_field(name))
    }

    fn optional<T>(&self, name: &str, read: fn(&'a str) -> Option<T>) -> Result<Option<T>, ApiError> {
        let Some(raw) = self.members.get(name) else { return Ok(None) };
        match read(raw.get()) {
            Some(value) => Ok(Some(value)),
            None => Err(Json::of(raw).map_or_else(|flaw| flawed_field(name, flaw), |_| invalid_field(name))),
        }
    }

    /// A required string.
    ///
    /// # Errors
    /// 400 when it is missing or of another type.
    pub fn string(&self, name: &str) -> Result<Cow<'a, str>, ApiError> {
        self.required(name, read_string)
    }

    /// An optional string.
    ///
    /// # Errors
    /// 400 when it is `null` or of another type.
    pub fn optional_string(&self, name: &str) -> Result<Option<Cow<'a, str>>, ApiError> {
        self.optional(name, read_string)
    }

    /// An optional string where the protocol treats `null` as absent.
    ///
    /// # Errors
    /// 400 when it is of another type.
    pub fn nullable_string(&self, name: &str) -> Result<Option<Cow<'a, str>>, ApiError> {
        if self.is_null(name) { Ok(None) } else { self.optional_string(name) }
    }

    /// A required string that is trimmed and must not be empty after that.
    ///
    /// # Errors
    /// 400 when it is missing, of another type, or blank.
    pub fn trimmed_string(&self, name: &str) -> Result<String, ApiError> {
        trimmed(name, &self.string(name)?)
    }

    /// An optional string that is trimmed and must not be empty after that.
    ///
    /// # Errors
    /// 400 when it is of another type, or blank.
    pub fn optional_trimmed_string(&self, name: &str) -> Result<Option<String>, ApiError> {
        if self.has(name) { self.trimmed_string(name).map(Some) } else { Ok(None) }
    }

    /// A required boolean.
    ///
    /// # Errors
    /// 400 when it is missing or of another type.
    pub fn bool(&self, name: &str) -> Result<bool, ApiError> {
        self.required(name, read_bool)
    }

    /// An optional boolean.
    ///
    /// # Errors
    /// 400 when it is `null` or of another type.
    pub fn optional_bool(&self, name: &str) -> Result<Option<bool>, ApiError> {
        self.optional(name, read_bool)
    }

    /// A required integer: a number, whose fraction is cut off, or a string of digits.
    ///
    /// # Errors
    /// 400 when it is missing, of another type or out of range.
    pub fn long(&self, name: &str) -> Result<i64, ApiError> {
        self.required(name, read_long)
    }

    /// An optional integer; see [`Body::long`].
    ///
    /// # Errors
    /// 400 when it is `null`, of another type or out of range.
    pub fn optional_long(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.optional(name, read_long)
    }

    /// A required object, stored as text.
    ///
    /// # Errors
    /// 400 when it is missing, of another type, or holds something that cannot be stored.
    pub fn object(&self, name: &str) -> Result<JsonObject, ApiError> {
        self.optional_object(name)?.ok_or_else(|| invalid_field(name))
    }

    /// An optional object, stored as text.
    ///
    /// # Errors
    /// 400 when it is `null`, of another type, or holds something that cannot be stored.
    pub fn optional_object(&self, name: &str) -> Result<Option<JsonObject>, ApiError> {
        let object = self.members.get(name).map(JsonObject::of).transpose();
        object.map_err(|flaw| flawed_field(name, flaw))
    }

    /// A required array of objects, parsed.
    ///
    /// # Errors
    /// 400 when it is missing or of another type, or when an entry is of another type or holds something that cannot be
    /// stored.
    pub fn objects(&self, name: &str) -> Result<Vec<Members>, ApiError> {
        let entries: Vec<&RawValue> = self.required(name, |raw| serde_json::from_str(raw).ok())?;
        let entries = entries.into_iter().map(Members::of);
        entries.collect::<Result<_, _>>().map_err(|flaw| flawed_field(name, flaw))
    }

    /// An optional object of settings, parsed.
    ///
    /// # Errors
    /// 400 when it is `null` or of another type.
    pub fn optional_map(&self, name: &str) -> Result<Option<Map<String, Value>>, ApiError> {
        self.optional(name, |raw| serde_json::from_str(raw).ok())
    }

    /// A required array, parsed.
    ///
    /// # Errors
    /// 400 when it is missing or of another type.
    pub fn array(&self, name: &str) -> Result<Vec<Value>, ApiError> {
        self.required(name, |raw| serde_json::from_str(raw).ok())
    }

    /// An optional array, parsed.
    ///
    /// # Errors
    /// 400 when it is `null` or of another type.
    pub fn optional_array(&self, name: &str) -> Result<Option<Vec<Value>>, ApiError> {
        self.optional(name, |raw| serde_json::from_str(raw).ok())
    }

    /// An optional array of strings.
    ///
    /// # Errors
    /// 400 when it is `null` or of another type, or has elements other than strings.
    pub fn optional_strings(&self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        self.optional(name, |raw| serde_json::from_str(raw).ok())
    }

    /// The ids in `userIds`, at most 500.
    ///
    /// # Errors
    /// 400 when they are missing, too many, or not all strings.
    pub fn user_ids(&self) -> Result<Vec<UserId>, ApiError> {
        const MAX_USERS: usize = 500;
        let ids = self.array("userIds")?;
        if ids.len() > MAX_USERS {
            return Err(ApiError::bad_request(format!("You can only query up to {MAX_USERS} users at a time.")));
        }
        let texts = ids.into_iter().map(|id| match id {
            Value::String(id) => Ok(UserId::new(id)),
            _ => Err(ApiError::bad_request("userIds array must contain only strings")),
        });
        texts.collect()
    }
}

fn trimmed(name: &str, text: &str) -> Result<String, ApiError> {
    match text.trim() {
        "" => Err(blank_field(name)),
        trimmed => Ok(trimmed.to_owned()),
    }
}

/// 400 for a text that is empty after trimming.
#[must_use]
pub fn blank_field(name: &str) -> ApiError {
    ApiError::bad_request(format!("Field name '{name}' cannot be an empty String"))
}

/// 400 for a field that is missing or of the wrong type; one sentence for both.
#[must_use]
pub fn invalid_field(name: &str) -> ApiError {
    ApiError::bad_request(format!("Field name '{name}' is invalid in JSON input"))
}

/// 400 for a field that holds something that cannot be stored; the sentence says what.
fn flawed_field(name: &str, flaw: JsonFlaw) -> ApiError {
    match flaw {
        JsonFlaw::NotAnObject => invalid_field(name),
        flaw => ApiError::bad_request(format!("Field name '{name}' is invalid in JSON input: it {flaw}")),
    }
}

fn read_string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    // The scan has checked the syntax: without an escape the text is the value.
    if inner.contains('\\') { serde_json::from_str(raw).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

fn read_bool(raw: &str) -> Option<bool> {
    match raw {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn read_long(raw: &str) -> Option<i64> {
    if let Some(quoted) = raw.strip_prefix('"') {
        return quoted.strip_suffix('"')?.parse().ok();
    }
    raw.parse().ok().or_else(|| {
        let float: f64 = serde_json::from_str(raw).ok()?;
        // 2^63 is exact as a float; everything below it, cut to an integer, fits.
        let fits = float.trunc().abs() < 9_223_372_036_854_775_808.0;
        #[expect(clippy::cast_possible_truncation, reason = "cutting the fraction is the rule; the range is checked")]
        fits.then_some(float as i64)
    })
}

/// A query's parameters, decoded on demand. Of duplicates, the first one counts.
#[derive(Clone, Copy)]
pub struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    /// A request's query.
    #[must_use]
    pub fn of(request: &'a Request) -> Self {
        Self(&request.query)
    }

    /// Refuses a query whose percent-encoded bytes are not UTF-8: each would be replaced by another character, and one
    /// user could be taken for another.
    ///
    /// # Errors
    /// 400 when they are not UTF-8.
    pub fn check(request: &Request) -> Result<(), ApiError> {
        let decoded = percent_encoding::percent_decode_str(&request.query).decode_utf8();
        decoded.map(drop).map_err(|_| ApiError::bad_request("The query is not UTF-8 once it is percent-decoded"))
    }

    /// An optional parameter; an empty one is present.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<Cow<'a, str>> {
        form_urlencoded::parse(self.0.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// A required parameter; an empty one is present.
    ///
    /// # Errors
    /// 400 when it is missing.
    pub fn required(&self, name: &str) -> Result<Cow<'a, str>, ApiError> {
        self.optional(name)
            .ok_or_else(|| ApiError::bad_request(format!("Field name '{name}' is missing in GET request")))
    }

    /// A required parameter that is trimmed and must not be empty after that.
    ///
    /// # Errors
    /// 400 when it is missing or blank.
    pub fn trimmed(&self, name: &str) -> Result<String, ApiError> {
        trimmed(name, &self.required(name)?)
    }

    /// An optional parameter that is trimmed and must not be empty after that.
    ///
    /// # Errors
    /// 400 when it is blank.
    pub fn optional_trimmed(&self, name: &str) -> Result<Option<String>, ApiError> {
        self.optional(name).map(|text| trimmed(name, &text)).transpose()
    }

    /// An optional `int` parameter.
    ///
    /// # Errors
    /// 400 when it is not one.
    pub fn int(&self, name: &str) -> Result<Option<i32>, ApiError> {
        self.number(name, "an int")
    }

    /// An optional `long` parameter.
    ///
    /// # Errors
    /// 400 when it is not one.
    pub fn long(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.number(name, "a long")
    }

    fn number<T: std::str::FromStr>(&self, name: &str, kind: &str) -> Result<Option<T>, ApiError> {
        let refuse = |_| ApiError::bad_request(format!("Field name '{name}' must be {kind} in the GET request"));
        self.optional(name).map(|text| text.parse().map_err(refuse)).transpose()
    }

    /// An optional boolean: `true` in any case is true, anything else false.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.optional(name).map(|text| text.eq_ignore_ascii_case("true"))
    }

    /// A comma-separated list: trimmed, without empty entries; empty when the parameter is absent.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let text = self.optional(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
    }
}
