//! [`LocalPath`]: the only kind of place to which a browser is sent because a request names it.

use std::fmt;

/// The longest path and query, in bytes; longer ones would not fit into the query of another URL everywhere.
const MAX_LENGTH: usize = 4096;

/// Path, query and fragment of a page, without scheme and host: whatever follows, the browser stays on the host it is
/// on (WHATWG URL, path-absolute-URL strings).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPath(String);

impl LocalPath {
    /// Parses a path; `None` for anything that a browser may take for another host. Browsers read `\` as `/`, two
    /// slashes as the beginning of a host, and skip tabs and line breaks.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>');
        let is_local = !rest.starts_with('/') && text.len() <= MAX_LENGTH && text.bytes().all(is_plain);
        is_local.then(|| Self(text.to_owned()))
    }

    /// The home page.
    #[must_use]
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path alone.
    #[must_use]
    pub fn path(&self) -> &str {
        let end = self.0.find(['?', '#']).unwrap_or(self.0.len());
        self.0.get(..end).unwrap_or_default()
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{LocalPath, MAX_LENGTH};

    #[test]
    fn paths_of_this_host_are_kept_as_they_are() {
        for text in ["/", "/a/b%20c?q=1&r=/x#top", "/?//b", "/a//b", "/.//b", "/@evil.example", "/%5cevil.example"] {
            assert_eq!(LocalPath::parse(text).as_ref().map(LocalPath::as_str), Some(text));
        }
        let paths = [("/a?b#c", "/a"), ("/a#b?c", "/a"), ("/", "/")];
        for (text, path) in paths {
            assert_eq!(LocalPath::parse(text).unwrap().path(), path);
        }
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        let long = format!("/{}", "x".repeat(MAX_LENGTH));
        for text in [
            "",
            "a",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/a\\b",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "\n//evil.example",
            " /a",
            "/a b",
            "/a\r\nset-cookie: x=y",
            "/é",
            "/\"onload",
            "/<b>",
            "/\u{0}",
            &long,
        ] {
            assert_eq!(LocalPath::parse(text), None, "{text:?}");
        }
    }
}
