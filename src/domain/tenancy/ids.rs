//! Rules for the ids of connection URI domains, apps and tenants.

/// Why an id is refused: the protocol's sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IdError(String);

/// First path segments of routes; a tenant with such a name could not be reached.
pub const RESERVED_TENANTS: [&str; 4] = ["recipe", "config", "users", "hello"];

/// Longest app or tenant id, in characters. Both are part of record keys, which have to stay short; the protocol sets
/// no limit.
const MAX_ID: usize = 255;
/// Longest host name (RFC 1035).
const MAX_HOST: usize = 253;

/// Parses a tenant id: trimmed and in lower case.
///
/// # Errors
/// The protocol's sentence.
pub fn tenant_id(written: &str) -> Result<String, IdError> {
    let id = normalised(written, "tenantId")?;
    if RESERVED_TENANTS.contains(&id.as_str()) {
        return Err(IdError(format!("Cannot use '{id}' as a tenantId")));
    }
    name(id, "tenantId")
}

/// Parses an app id: trimmed and in lower case.
///
/// # Errors
/// The protocol's sentence.
pub fn app_id(written: &str) -> Result<String, IdError> {
    name(normalised(written, "appId")?, "appId")
}

/// Parses a connection URI domain: trimmed, in lower case, without its port.
///
/// # Errors
/// The protocol's sentence.
pub fn connection_uri_domain(written: &str) -> Result<String, IdError> {
    let id = normalised(written, "connectionUriDomain")?;
    let (host, port) = id.split_once(':').map_or((id.as_str(), None), |(host, port)| (host, Some(port)));
    let port_is_fine =
        port.is_none_or(|port| !port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit()));
    if !port_is_fine || host.len() > MAX_HOST || !host.split('.').all(is_label) {
        return Err(IdError("connectionUriDomain is invalid".to_owned()));
    }
    Ok(host.to_owned())
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn normalised(written: &str, field: &str) -> Result<String, IdError> {
    let id = written.trim().to_lowercase();
    if id.is_empty() { Err(IdError(format!("{field} should not be an empty String"))) } else { Ok(id) }
}

fn name(id: String, field: &str) -> Result<String, IdError> {
    if id.starts_with("appid-") {
        return Err(IdError(format!("{field} must not start with 'appid-'")));
    }
    if !id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        return Err(IdError(format!("{field} can only contain letters, numbers and hyphens")));
    }
    if id.len() > MAX_ID {
        return Err(IdError(format!("{field} must not be longer than {MAX_ID} characters")));
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(result: Result<String, IdError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn ids_are_trimmed_and_lower_cased() {
        assert_eq!(tenant_id(" T1 ").unwrap(), "t1");
        assert_eq!(app_id("A-1").unwrap(), "a-1");
        assert_eq!(connection_uri_domain(" Auth.Example.com:8080 ").unwrap(), "auth.example.com");
    }

    #[test]
    fn tenant_ids_have_their_sentences() {
        assert_eq!(error(tenant_id(" ")), "tenantId should not be an empty String");
        for word in ["recipe", "config", "users", "Hello"] {
            assert_eq!(error(tenant_id(word)), format!("Cannot use '{}' as a tenantId", word.to_lowercase()));
        }
        assert_eq!(error(tenant_id("appid-x")), "tenantId must not start with 'appid-'");
        for bad in ["a_b", "a.b", "ä", "a b"] {
            assert_eq!(error(tenant_id(bad)), "tenantId can only contain letters, numbers and hyphens");
        }
    }

    #[test]
    fn app_ids_have_their_sentences() {
        assert_eq!(error(app_id("")), "appId should not be an empty String");
        assert_eq!(error(app_id("appid-x")), "appId must not start with 'appid-'");
        assert_eq!(error(app_id("a_b")), "appId can only contain letters, numbers and hyphens");
        assert_eq!(app_id("hello").unwrap(), "hello");
    }

    #[test]
    fn ids_are_short_enough_for_the_keys_of_records() {
        let (longest, longer) = ("a".repeat(255), "a".repeat(256));
        assert!(tenant_id(&longest).is_ok() && app_id(&longest).is_ok());
        assert_eq!(error(tenant_id(&longer)), "tenantId must not be longer than 255 characters");
        assert_eq!(error(app_id(&longer)), "appId must not be longer than 255 characters");
        let labels = "a".repeat(62) + &".a".repeat(95);
        assert!(connection_uri_domain(&format!("{labels}a:80")).is_ok());
        assert_eq!(error(connection_uri_domain(&format!("{labels}aa"))), "connectionUriDomain is invalid");
    }

    #[test]
    fn domains_are_host_names_without_path() {
        assert_eq!(error(connection_uri_domain("")), "connectionUriDomain should not be an empty String");
        for bad in ["http://x.io", "x.io/", "x.io/a", "x..io", "-x.io", "x.io:", "x.io:a", "x:1:2", "a b", "x.io?"] {
            assert_eq!(error(connection_uri_domain(bad)), "connectionUriDomain is invalid", "{bad}");
        }
        for good in ["localhost", "127.0.0.1", "a-b.example.com", "localhost:3567"] {
            assert!(connection_uri_domain(good).is_ok(), "{good}");
        }
    }
}
