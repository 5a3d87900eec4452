//! Cookies: those of a request, and those to set (RFC 6265).

use crate::config::front::SameSite;
use crate::domain::time::UnixMillis;
use http::HeaderMap;
use http::header::COOKIE;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;

/// The cookies of a request.
#[derive(Clone, Copy)]
pub struct Cookies<'r>(&'r HeaderMap);

impl<'r> Cookies<'r> {
    /// Those of a request with these headers.
    #[must_use]
    pub const fn of(headers: &'r HeaderMap) -> Self {
        Self(headers)
    }

    /// Names and values as sent.
    fn pairs(self) -> impl Iterator<Item = (&'r str, &'r str)> {
        let lines = self.0.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';'));
        pairs.filter_map(|pair| pair.trim().split_once('=')).map(|(name, value)| (name.trim_end(), value.trim()))
    }

    /// The first cookie with this name, percent-decoded; as it is, if its escapes are broken.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Cow<'r, str>> {
        let [found] = self.find([name]);
        found.value()
    }

    /// What there is of each of these cookies; reads the request's once.
    #[must_use]
    pub fn find<const N: usize>(self, names: [&str; N]) -> [FoundCookie<'r>; N] {
        let mut found = [FoundCookie::default(); N];
        for (sent, value) in self.pairs() {
            let decoded = decoded(sent);
            for (found, name) in found.iter_mut().zip(names).filter(|(_, name)| decoded == *name) {
                found.count += 1;
                if sent == name {
                    found.first.get_or_insert(value);
                }
            }
        }
        found
    }
}

/// What a request has of a cookie.
#[derive(Debug, Clone, Copy, Default)]
pub struct FoundCookie<'r> {
    /// The value of the first one with exactly this name.
    first: Option<&'r str>,
    count: usize,
}

impl<'r> FoundCookie<'r> {
    /// The value of the first one, percent-decoded; as it is, if its escapes are broken.
    #[must_use]
    pub fn value(self) -> Option<Cow<'r, str>> {
        let value = self.first?;
        Some(decoded(value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value)))
    }

    /// True if there is more than one cookie whose name, percent-decoded, is this: browsers send one for each domain
    /// and path that has set it.
    #[must_use]
    pub const fn is_repeated(self) -> bool {
        self.count > 1
    }
}

/// The text without percent-encoding; as it is, if an escape is broken.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut pieces = text.split('%');
    pieces.next();
    let is_hex = |piece: &str| piece.get(..2).is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if !pieces.all(is_hex) {
        return Cow::Borrowed(text);
    }
    percent_decode_str(text).decode_utf8().unwrap_or(Cow::Borrowed(text))
}

/// The largest cookie that every browser keeps, in bytes: name, value and attributes (RFC 6265, 6.1). Browsers of today
/// count name and value alone (RFC 6265bis, 5.7).
pub const MAX_COOKIE: usize = 4096;

/// What a component of a URI, and the value of a cookie, may hold unescaped: as JavaScript's `encodeURIComponent` says.
pub const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// A cookie to set, which scripts cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetCookie {
    /// Its name.
    pub name: &'static str,
    /// Its value; empty to clear it.
    pub value: String,
    /// The domain whose hosts get it; `None` for this host alone.
    pub domain: Option<String>,
    /// The path below which it is sent.
    pub path: String,
    /// When the browser forgets it.
    pub expires: UnixMillis,
    /// Whether it is sent over https only.
    pub is_secure: bool,
    /// Whether it is sent with requests from other sites.
    pub same_site: SameSite,
}

impl SetCookie {
    /// The value of the `Set-Cookie` header.
    #[must_use]
    pub fn to_header(&self) -> String {
        let mut line = String::with_capacity(self.name.len() + self.value.len() + self.path.len() + 128);
        line.push_str(self.name);
        line.push('=');
        line.extend(utf8_percent_encode(&self.value, COMPONENT));
        for (attribute, value) in [("Domain", self.domain.as_deref()), ("Path", Some(self.path.as_str()))] {
            if let Some(value) = value {
                line.extend(["; ", attribute, "=", value]);
            }
        }
        line.extend(["; Expires=", &self.expires.http_date(), "; HttpOnly"]);
        line.push_str(if self.is_secure { "; Secure" } else { "" });
        line.extend(["; SameSite=", self.same_site.as_str()]);
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(line: &'static str) -> HeaderMap {
        [(COOKIE, HeaderValue::from_static(line))].into_iter().collect()
    }

    #[test]
    fn the_first_cookie_counts_and_escapes_are_decoded() {
        let map = headers("a=1; b=x%3Dy; a=2;c=\"q\"; broken=%zz; e=");
        let cookies = Cookies::of(&map);
        for (name, value) in [("a", "1"), ("b", "x=y"), ("c", "q"), ("broken", "%zz"), ("e", "")] {
            assert_eq!(cookies.get(name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(cookies.get("d"), None);
    }

    #[test]
    fn several_cookies_of_a_name_are_noticed_however_it_is_written() {
        for (line, is_repeated, value) in [
            ("sA=1; s%41=2", true, Some("1")),
            ("s%41=2; sA=1", true, Some("1")),
            ("sA=1; x=y; sA=1", true, Some("1")),
            ("s%41=1; s%41=2", true, None),
            ("sA=1; sB=2; sB=3", false, Some("1")),
        ] {
            let map = headers(line);
            let [found] = Cookies::of(&map).find(["sA"]);
            assert_eq!((found.is_repeated(), found.value().as_deref()), (is_repeated, value), "{line}");
        }
    }

    #[test]
    fn a_cookie_is_written_with_its_attributes_in_order() {
        let cookie = SetCookie {
            name: "sAccessToken",
            value: "a=b c".to_owned(),
            domain: Some(".example.com".to_owned()),
            path: "/".to_owned(),
            expires: UnixMillis(0),
            is_secure: true,
            same_site: SameSite::None,
        };
        let written = "sAccessToken=a%3Db%20c; Domain=.example.com; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; \
                       HttpOnly; Secure; SameSite=None";
        assert_eq!(cookie.to_header(), written);
        let bare = SetCookie { domain: None, is_secure: false, same_site: SameSite::Lax, ..cookie };
        let end = "Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax";
        assert_eq!(bare.to_header(), format!("sAccessToken=a%3Db%20c; Path=/; {end}"));
    }
}
