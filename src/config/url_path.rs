//! Prefixes of paths, as settings name them.

/// The prefix with one leading slash, without trailing or duplicate slashes; empty for no prefix.
///
/// # Errors
/// The protocol's sentence when it contains a space; one of ours when no request can have such a path.
pub(in crate::config) fn base_path(written: &str) -> Result<String, String> {
    let trimmed = written.trim();
    if trimmed.contains(' ') {
        return Err("Invalid characters in base_path config".to_owned());
    }
    let parts = || trimmed.split('/').filter(|part| !part.is_empty());
    if let Some(part) = parts().find(|part| !is_path_segment(part)) {
        return Err(format!(
            "Invalid characters in base_path config: no request can have {part:?} in its path. Use letters, digits, \
             '-', '.', '_' and '~', percent-encode anything else, and leave out '.' and '..'"
        ));
    }
    Ok(parts().flat_map(|part| ["/", part]).collect())
}

/// True if clients can send this text between two slashes unchanged (RFC 3986, 3.3). They resolve segments of dots
/// themselves.
fn is_path_segment(part: &str) -> bool {
    let mut pieces = part.split('%');
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte);
    let plain = pieces.next().is_some_and(|first| first.bytes().all(is_plain));
    let encoded = pieces.all(|piece| {
        let hex = piece.get(..2).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        hex && piece.bytes().all(is_plain)
    });
    let undotted = part.replace("%2e", ".").replace("%2E", ".");
    plain && encoded && undotted != "." && undotted != ".."
}
