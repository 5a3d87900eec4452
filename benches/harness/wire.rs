//! Requests as ready-made bytes, and just enough of HTTP/1.1 to read the replies.

/// The CDI version that requests name: the one that the official Node SDK sends today.
pub(crate) const LEGACY: &str = "5.4";
/// The version that rotates on refresh.
pub(crate) const ROTATING: &str = "5.6";

/// A PUT with the same headers as [`post`].
pub(crate) fn put(path: &str, cdi_version: &str, body: &str) -> Vec<u8> {
    let request = post(path, cdi_version, body);
    [b"PUT".as_slice(), request.get(4..).unwrap_or_default()].concat()
}

/// A POST with the headers that the official Node SDK sends.
pub(crate) fn post(path: &str, cdi_version: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1:3567\r\nconnection: keep-alive\r\n\
         content-type: application/json; charset=utf-8\r\ncdi-version: {cdi_version}\r\nrid: session\r\n\
         accept: */*\r\naccept-language: *\r\nsec-fetch-mode: cors\r\nuser-agent: node\r\n\
         accept-encoding: gzip, deflate\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body.as_bytes());
    bytes
}

/// A GET with the same headers.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nhost: 127.0.0.1:3567\r\nconnection: keep-alive\r\naccept: */*\r\n\
         accept-language: *\r\nsec-fetch-mode: cors\r\nuser-agent: node\r\naccept-encoding: gzip, deflate\r\n\r\n"
    )
    .into_bytes()
}

/// The same request for another target.
pub(crate) fn retarget(request: &[u8], target: &str) -> Vec<u8> {
    let mut words = request.splitn(3, |byte| *byte == b' ');
    let (verb, _, rest) = (words.next(), words.next(), words.next());
    [verb.unwrap_or_default(), target.as_bytes(), rest.unwrap_or_default()].join(&b' ')
}

/// Where the head of a reply ends, and how long its body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// Status code.
    pub(crate) status: u16,
    /// Bytes before the body.
    pub(crate) len: usize,
    /// Bytes of the body.
    pub(crate) body: usize,
}

/// Reads the head at the start of `bytes`. `Ok(None)`: more is needed.
///
/// # Errors
/// When this is not a reply with a `Content-Length`.
pub(crate) fn head(bytes: &[u8]) -> Result<Option<Head>, String> {
    let Some(end) = find(bytes, b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(bytes.get(..end).unwrap_or_default()).map_err(|e| e.to_string())?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.get(9..12)).and_then(|code| code.parse().ok());
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok());
    // 204 has no body, and so no length (RFC 9110, 8.6).
    match (status, length.or((status == Some(204)).then_some(0))) {
        (Some(status), Some(body)) => Ok(Some(Head { status, len: end + 4, body })),
        _ => Err(format!("an answer without status or Content-Length: {text:?}")),
    }
}

/// Where `needle` begins in `haystack`.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// The text of member `token` in the object `owner` of a compact JSON body.
pub(crate) fn token<'a>(body: &'a [u8], owner: &str) -> Option<&'a str> {
    text_after(body, &format!("\"{owner}\":{{"), "\"token\":\"")
}

/// The text of `"handle"`.
pub(crate) fn handle(body: &[u8]) -> Option<&str> {
    text_after(body, "\"session\":{", "\"handle\":\"")
}

fn text_after<'a>(body: &'a [u8], owner: &str, member: &str) -> Option<&'a str> {
    let rest = body.get(find(body, owner.as_bytes())? + owner.len()..)?;
    let rest = rest.get(find(rest, member.as_bytes())? + member.len()..)?;
    let text = rest.get(..rest.iter().position(|byte| *byte == b'"')?)?;
    std::str::from_utf8(text).ok()
}
