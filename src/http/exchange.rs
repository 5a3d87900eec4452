//! Our request and reply types: nothing below this file knows which server library is used.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;
use std::borrow::Cow;
use std::net::IpAddr;

/// The relation between the target and the page that made the request (Fetch Metadata). Pages cannot set it.
pub static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Methods that the protocol uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// GET.
    GET,
    /// HEAD: GET without the body, which the server leaves out. Ours, for health checks; the protocol answers 405.
    HEAD,
    /// POST.
    POST,
    /// PUT.
    PUT,
    /// DELETE.
    DELETE,
}

impl Verb {
    /// The verb; `None` for a method that no endpoint has.
    #[must_use]
    pub const fn of(method: &Method) -> Option<Self> {
        match *method {
            Method::GET => Some(Self::GET),
            Method::HEAD => Some(Self::HEAD),
            Method::POST => Some(Self::POST),
            Method::PUT => Some(Self::PUT),
            Method::DELETE => Some(Self::DELETE),
            _ => None,
        }
    }

    /// The method's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GET => "GET",
            Self::HEAD => "HEAD",
            Self::POST => "POST",
            Self::PUT => "PUT",
            Self::DELETE => "DELETE",
        }
    }
}

/// A request whose body has been read within the limits.
#[derive(Debug, Clone)]
pub struct Request {
    /// Request id for logs: the caller's `x-request-id` if it is valid, otherwise made by the server.
    pub id: String,
    /// The method.
    pub method: Method,
    /// Path as sent, percent-encoded, without query.
    pub path: String,
    /// Query as sent, without the question mark; empty when there is none.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty when there is none.
    pub body: Bytes,
    /// The connection's peer address.
    pub peer: IpAddr,
}

impl Request {
    /// A header's value as text; `None` when it is absent or not visible ASCII.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A reply, ready to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: StatusCode,
    /// The value of `Content-Type`; empty for none.
    pub content_type: &'static str,
    /// The value of `Cache-Control`, if the endpoint sends one.
    pub cache_control: Option<String>,
    /// The value of `Allow`, with a 405.
    pub allow: Option<String>,
    /// The value of `Retry-After` in s, if the caller should retry.
    pub retry_after_s: Option<u64>,
    /// Any other headers, in this order; a name may occur more than once.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Bytes,
}

/// The `Content-Type` of JSON replies.
pub const JSON: &str = "application/json; charset=UTF-8";
/// The `Content-Type` of text replies. The original sends `text/html`; the official SDKs check at most for `text`.
pub const TEXT: &str = "text/plain; charset=UTF-8";

/// Room for the body of most replies, tokens included, so that it need not grow.
const REPLY_CAPACITY: usize = 2048;

/// Text that contains no tag, whatever it is interpreted as: every `<` becomes `&lt;`, except in `<=`, which the
/// protocol's sentences use and which opens no tag.
fn without_markup(text: &str) -> Cow<'_, str> {
    if !text.contains('<') {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    let mut pieces = text.split('<');
    escaped.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        escaped.push_str(if piece.starts_with('=') { "<" } else { "&lt;" });
        escaped.push_str(piece);
    }
    Cow::Owned(escaped)
}

impl Reply {
    /// A reply with this body and no other headers.
    #[must_use]
    pub const fn bare(status: StatusCode, content_type: &'static str, body: Bytes) -> Self {
        let headers = Vec::new();
        Self { status, content_type, cache_control: None, allow: None, retry_after_s: None, headers, body }
    }

    /// A reply without a body and its headers.
    #[must_use]
    pub const fn empty(status: StatusCode) -> Self {
        Self::bare(status, "", Bytes::new())
    }

    /// 200 with a JSON body and the newline that ends bodies in the protocol.
    pub fn json(body: &impl Serialize) -> Self {
        let mut bytes = Vec::with_capacity(REPLY_CAPACITY);
        // invariant: reply structs hold only serialisable data with string keys
        let _ = serde_json::to_writer(&mut bytes, body);
        bytes.push(b'\n');
        Self::bare(StatusCode::OK, JSON, bytes.into())
    }

    /// 200 with a body that already is JSON.
    #[must_use]
    pub fn raw_json(body: impl Into<Bytes>) -> Self {
        Self::bare(StatusCode::OK, JSON, body.into())
    }

    /// `{"status": …}` and nothing else.
    #[must_use]
    pub fn status(status: &'static str) -> Self {
        #[derive(Serialize)]
        struct StatusBody {
            status: &'static str,
        }
        Self::json(&StatusBody { status })
    }

    /// `{"status": …, "reason": …}`: a refusal explained to the developer.
    #[must_use]
    pub fn status_with_reason(status: &'static str, reason: &str) -> Self {
        #[derive(Serialize)]
        struct ReasonBody<'a> {
            status: &'static str,
            reason: &'a str,
        }
        Self::json(&ReasonBody { status, reason })
    }

    /// `{"status": …, "message": …}`: an error message.
    #[must_use]
    pub fn status_with_message(status: &'static str, message: &str) -> Self {
        #[derive(Serialize)]
        struct MessageBody<'a> {
            status: &'static str,
            message: &'a str,
        }
        Self::json(&MessageBody { status, message })
    }

    /// A text body without markup, and the newline that ends bodies in the protocol. Sentences may repeat what a caller
    /// sent: this is the one place that makes them harmless.
    #[must_use]
    pub fn text(status: StatusCode, text: &str) -> Self {
        let text = without_markup(text);
        Self::bare(status, TEXT, format!("{text}\n").into())
    }

    /// The same reply with this `Cache-Control`.
    #[must_use]
    pub fn cached(mut self, cache_control: String) -> Self {
        self.cache_control = Some(cache_control);
        self
    }

    /// The same reply, which nobody may keep.
    #[must_use]
    pub fn not_stored(self) -> Self {
        self.cached("no-store".to_owned())
    }

    /// The same reply with this `Retry-After`, in s.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::without_markup;

    #[test]
    fn text_cannot_open_a_tag() {
        for (text, escaped) in [
            ("plain", "plain"),
            ("a <= b & c", "a <= b & c"),
            ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
            ("<<=<", "&lt;<=&lt;"),
            ("<!--", "&lt;!--"),
        ] {
            assert_eq!(without_markup(text), escaped);
        }
    }
}
