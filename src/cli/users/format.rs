//! Recognises a file of users that is not one JSON object per line, and names the command that converts it.

use anyhow::{Result, bail};

/// Magic bytes of compressed files, their formats, and the commands that decompress them.
const PACKED: [(&[u8], &str, &str); 5] = [
    (b"\x1f\x8b", "gzip", "gzip -dc"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd -dc"),
    (b"\xfd7zXZ\x00", "xz", "xz -dc"),
    (b"BZh", "bzip2", "bzip2 -dc"),
    (b"PK\x03\x04", "zip", "unzip -p"),
];

/// Turns a CSV table into lines of JSON; the first line names the fields.
const FROM_TABLE: &str =
    "python3 -c 'import csv, json, sys; [print(json.dumps(row)) for row in csv.DictReader(sys.stdin)]' <";

/// Refuses a file by its first bytes when none of its lines could be a user: once, with the way out.
///
/// # Errors
/// One sentence that says what the file is and which command converts it to lines.
pub(super) fn refuse_other_formats(start: &[u8], shown: &str) -> Result<()> {
    let Some((what, command)) = recognise(start) else { return Ok(()) };
    let file = if shown == "-" { "FILE" } else { shown };
    bail!("{shown} is {what}, not one JSON object per line: {command} {file} | sessiond users import -");
}

/// What the file is instead, and the command that converts it to lines.
fn recognise(start: &[u8]) -> Option<(String, &'static str)> {
    if let Some((_, name, command)) = PACKED.into_iter().find(|(magic, ..)| start.starts_with(magic)) {
        return Some((format!("compressed with {name}"), command));
    }
    if start.starts_with(b"\xff\xfe\0\0") || start.starts_with(b"\0\0\xfe\xff") {
        return Some(("UTF-32".to_owned(), "iconv -f UTF-32 -t UTF-8"));
    }
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
        return Some(("UTF-16".to_owned(), "iconv -f UTF-16 -t UTF-8"));
    }
    match start {
        [first, 0, ..] if *first != 0 => return Some(("UTF-16".to_owned(), "iconv -f UTF-16LE -t UTF-8")),
        [0, second, ..] if *second != 0 => return Some(("UTF-16".to_owned(), "iconv -f UTF-16BE -t UTF-8")),
        _ => {}
    }
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let end = text.iter().position(|byte| *byte == b'\n');
    let (line, rest) = text.split_at(end.unwrap_or(text.len()));
    match line.first()? {
        b'[' => Some(("a JSON array".to_owned(), "jq -c '.[]'")),
        b'{' if is_list_of_users(text) => {
            Some(("one JSON object with a list of users in it".to_owned(), "jq -c '.users[]'"))
        }
        // An object is still open at the end of the first line, and there is more.
        b'{' if !rest.trim_ascii().is_empty() && is_cut(line) => {
            Some(("JSON over several lines".to_owned(), "jq -c ."))
        }
        b'{' => None,
        _ if line.iter().any(|byte| b",;\t".contains(byte)) => Some(("a table (CSV)".to_owned(), FROM_TABLE)),
        _ => None,
    }
}

/// Whether the text begins with `{"users": [`, on one line or several.
fn is_list_of_users(text: &[u8]) -> bool {
    let mut rest = text;
    for part in [b"{".as_slice(), b"\"users\"", b":", b"["] {
        match rest.trim_ascii_start().strip_prefix(part) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    true
}

/// Whether the text is the beginning of JSON.
fn is_cut(line: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(line).is_err_and(|error| error.is_eof())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_are_recognised_by_their_first_bytes() {
        for (start, what) in [
            (b"\x1f\x8b\x08\0".as_slice(), "compressed with gzip"),
            (b"PK\x03\x04\x14", "compressed with zip"),
            (b"\xff\xfe{\0\"\0", "UTF-16"),
            (b"\xfe\xff\0{", "UTF-16"),
            (b"{\0\"\0", "UTF-16"),
            (b"\0{\0\"", "UTF-16"),
            (b"\xff\xfe\0\0{\0\0\0", "UTF-32"),
            (b"\xef\xbb\xbf [\n", "a JSON array"),
            (b"[{\"email\":1}]", "a JSON array"),
            (b"{\"users\": [{\"localId\": 1}]}", "one JSON object with a list of users in it"),
            (b"{\n  \"users\":\n[\n", "one JSON object with a list of users in it"),
            (b"{\n  \"email\": \"a@b\"\n}\n", "JSON over several lines"),
            (b"email,name\na@b,c\n", "a table (CSV)"),
            (b"id;email\n", "a table (CSV)"),
        ] {
            assert_eq!(recognise(start).map(|(what, _)| what).as_deref(), Some(what), "{start:?}");
        }
    }

    #[test]
    fn lines_are_left_to_be_read_one_by_one() {
        for start in [
            b"".as_slice(),
            b"\n\n",
            b"{\"email\":\"a@b\"}\n",
            b"\xef\xbb\xbf\r\n{\"email\":\"a@b\"}\r\n",
            b"{\"email\":\"a@b\",\"users\":[]}",
            // Broken lines, which are reported by number.
            b"{\"email\":\"a@b\"",
            b"{\"email\":\"a@b\"\n\n",
            b"{\"email\":}\n{}\n",
            b"no user\n",
            b"\xe4\n{}\n",
        ] {
            assert_eq!(recognise(start), None, "{start:?}");
        }
    }
}
