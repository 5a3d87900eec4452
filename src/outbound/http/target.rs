//! [`Target`]: where a URL leads.

use super::SendError;
use http::Uri;
use http::uri::PathAndQuery;

/// Where a URL leads: a host and what to ask of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Whether the connection is encrypted.
    pub is_https: bool,
    /// The host: a name in lower case, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Host and port as the `Host` header has them.
    pub authority: String,
    /// Path and query.
    pub path: PathAndQuery,
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// When it is neither http nor https, has no host, or names a user.
    pub fn parse(url: &str) -> Result<Self, SendError> {
        let uri: Uri = url.parse().map_err(|_| SendError::Url)?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(SendError::Url),
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or(SendError::Url)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() {
            return Err(SendError::Url);
        }
        let port = match authority.as_str().get(authority.host().len()..).unwrap_or_default() {
            "" if is_https => 443,
            "" => 80,
            port => port.trim_start_matches(':').parse().map_err(|_| SendError::Url)?,
        };
        let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Ok(Self { is_https, host, port, authority: authority.to_string(), path })
    }

    /// The target of a redirect, if it is at the same place: same scheme, host and port.
    #[must_use]
    pub fn redirected(&self, location: &str) -> Option<Self> {
        let next = if location.starts_with('/') && !location.starts_with("//") && !location.starts_with("/\\") {
            Self { path: location.parse().ok()?, ..self.clone() }
        } else {
            Self::parse(location).ok()?
        };
        let is_same = next.is_https == self.is_https && next.host == self.host && next.port == self.port;
        is_same.then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_leads_to_a_host() {
        let target = Target::parse("https://Op.Test/a?b=c").unwrap();
        assert_eq!((target.is_https, target.host.as_str(), target.port), (true, "op.test", 443));
        assert_eq!((target.authority.as_str(), target.path.as_str()), ("Op.Test", "/a?b=c"));
        let target = Target::parse("http://[::1]:8080").unwrap();
        assert_eq!(
            (target.is_https, target.host.as_str(), target.port, target.path.as_str()),
            (false, "::1", 8080, "/")
        );
        for bad in ["ftp://a/", "/a", "", "https://", "https://u:p@a/", "https://a:99999/", "file:///etc/passwd", "a b"]
        {
            assert_eq!(Target::parse(bad), Err(SendError::Url), "{bad}");
        }
    }

    #[test]
    fn redirects_stay_at_their_place() {
        let target = Target::parse("https://op.test/a").unwrap();
        for (location, path) in
            [("/b?c", Some("/b?c")), ("https://op.test/b", Some("/b")), ("https://OP.test:443/", Some("/"))]
        {
            assert_eq!(target.redirected(location).as_ref().map(|next| next.path.as_str()), path, "{location}");
        }
        for location in
            ["http://op.test/a", "https://op.test:444/a", "https://other.test/", "//other.test/", "/\\x", "b", ""]
        {
            assert_eq!(target.redirected(location), None, "{location}");
        }
    }
}
