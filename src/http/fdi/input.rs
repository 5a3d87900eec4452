//! Readers of browsers' bodies and queries (protocol: 20, 1.2).

use super::error::FrontError;
use crate::http::error::ApiError;
use crate::http::exchange::Request;
use http::header::CONTENT_ENCODING;
use serde_json::Value;
use std::borrow::Cow;

/// A JSON body. It need not be an object, and its `Content-Type` is not looked at: then it has no members.
pub struct Body(Value);

impl Body {
    /// Reads a request's body; no body at all has no members.
    ///
    /// # Errors
    /// 415 if it is compressed, 400 unless it is JSON.
    pub fn of(request: &Request) -> Result<Self, FrontError> {
        if request.header(&CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
            return Err(ApiError::CompressedBody.into());
        }
        if request.body.is_empty() {
            return Ok(Self(Value::Null));
        }
        // Some clients begin with a byte order mark.
        let bytes = request.body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&request.body);
        serde_json::from_slice(bytes).map(Self).map_err(|_| {
            FrontError::bad_request("API input error: Please make sure to pass a valid JSON input in the request body")
        })
    }

    /// A member; `None` if it is absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A member; `None` if it is absent or `null`.
    #[must_use]
    pub fn present(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|value| !value.is_null())
    }
}

/// A parameter of the query. One that is there twice counts as missing.
#[must_use]
pub fn query<'r>(request: &'r Request, name: &str) -> Option<Cow<'r, str>> {
    let mut values = form_urlencoded::parse(request.query.as_bytes()).filter(|(key, _)| key == name);
    let (_, value) = values.next()?;
    values.next().is_none().then_some(value)
}
