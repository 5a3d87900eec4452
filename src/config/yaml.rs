//! `config.yaml` as a flat list of keys and raw values with their lines. The only file that names the YAML library.

use crate::config::values::{Raw, Written};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use std::borrow::Cow;
use std::collections::HashSet;

/// One entry of the file.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) key: Cow<'a, str>,
    pub(super) raw: Raw<'a>,
    /// Counted from 1.
    pub(super) line: usize,
}

/// Why the text is no list of settings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) what: String,
}

impl Malformed {
    fn new(span: Span, what: impl Into<String>) -> Self {
        Self { line: span.start.line(), what: what.into() }
    }
}

impl From<ScanError> for Malformed {
    fn from(error: ScanError) -> Self {
        Self { line: error.marker().line(), what: error.info().to_owned() }
    }
}

/// Reads the top level of the first document. An empty document has no entries.
pub(super) fn entries(text: &str) -> Result<Vec<Entry<'_>>, Malformed> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut events = Parser::new_from_str(text);
    let mut found: Vec<Entry<'_>> = Vec::new();
    let mut seen = HashSet::new();
    loop {
        match next(&mut events)? {
            (Event::MappingStart(..), _) => break,
            (Event::Nothing | Event::StreamStart | Event::DocumentStart(_), _) => {}
            (Event::StreamEnd | Event::DocumentEnd, _) => return Ok(found),
            (Event::Scalar(text, ScalarStyle::Plain, ..), _) if is_null(&text) => {}
            (_, span) => return Err(Malformed::new(span, "expected lines of the form `key: value`")),
        }
    }
    loop {
        let (key, span) = match next(&mut events)? {
            (Event::MappingEnd, _) => return Ok(found),
            (Event::Scalar(key, ..), span) => (key, span),
            (_, span) => return Err(Malformed::new(span, "expected a key")),
        };
        if !seen.insert(key.clone()) {
            return Err(Malformed::new(span, format!("'{key}' is set twice")));
        }
        let raw = value(&mut events)?;
        found.push(Entry { key, raw, line: span.start.line() });
    }
}

fn value<'a>(events: &mut Parser<'a, saphyr_parser::StrInput<'a>>) -> Result<Raw<'a>, Malformed> {
    match next(events)? {
        (Event::Scalar(text, style, ..), _) => {
            let written = if style == ScalarStyle::Plain { written(&text) } else { Written::Text };
            Ok(Raw { text, written })
        }
        (Event::SequenceStart(..) | Event::MappingStart(..), _) => {
            let mut depth = 1_usize;
            while depth > 0 {
                match next(events)?.0 {
                    Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
                    Event::SequenceEnd | Event::MappingEnd => depth -= 1,
                    Event::StreamEnd => break,
                    _ => {}
                }
            }
            Ok(Raw { text: "".into(), written: Written::Compound })
        }
        (_, span) => Err(Malformed::new(span, "anchors and aliases are not supported here")),
    }
}

fn next<'a>(events: &mut Parser<'a, saphyr_parser::StrInput<'a>>) -> Result<(Event<'a>, Span), Malformed> {
    match events.next_event() {
        Some(event) => Ok(event?),
        None => Ok((Event::StreamEnd, Span::default())),
    }
}

fn is_null(plain: &str) -> bool {
    matches!(plain, "" | "~" | "null" | "Null" | "NULL")
}

fn written(plain: &str) -> Written {
    if is_null(plain) {
        Written::Null
    } else if plain.parse::<f64>().is_ok_and(f64::is_finite) {
        Written::Number
    } else {
        Written::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String, Written, usize)> {
        let entries = entries(text).unwrap().into_iter();
        entries.map(|e| (e.key.into_owned(), e.raw.text.into_owned(), e.raw.written, e.line)).collect()
    }

    fn entry(key: &str, text: &str, written: Written, line: usize) -> (String, String, Written, usize) {
        (key.to_owned(), text.to_owned(), written, line)
    }

    #[test]
    fn entries_keep_their_text_and_their_line() {
        let text = "# a comment\ncore_config_version: 0\n\napi_keys: \"007\"\nport: 3567 # here\nbase_path:\nx: 1.50\n";
        assert_eq!(
            read(text),
            [
                entry("core_config_version", "0", Written::Number, 2),
                entry("api_keys", "007", Written::Text, 4),
                entry("port", "3567", Written::Number, 5),
                entry("base_path", "", Written::Null, 6),
                entry("x", "1.50", Written::Number, 7),
            ]
        );
    }

    #[test]
    fn plain_null_is_null_and_quoted_null_is_text() {
        assert_eq!(
            read("a: null\nb: 'null'\nc: ~"),
            [
                entry("a", "null", Written::Null, 1),
                entry("b", "null", Written::Text, 2),
                entry("c", "~", Written::Null, 3),
            ]
        );
    }

    #[test]
    fn a_file_of_comments_has_no_entries() {
        assert_eq!(read(""), []);
        assert_eq!(read("# nothing\n"), []);
        assert_eq!(read("---\n"), []);
    }

    #[test]
    fn nested_values_are_skipped_as_a_whole() {
        assert_eq!(
            read("a: {b: [1, 2]}\nc:\n  - x\n  - y: 1\nd: 1"),
            [
                entry("a", "", Written::Compound, 1),
                entry("c", "", Written::Compound, 2),
                entry("d", "1", Written::Number, 5),
            ]
        );
    }

    #[test]
    fn malformed_text_is_named_with_its_line() {
        assert!(entries("a: 1\nb: [1").unwrap_err().line > 0);
        assert_eq!(entries("a: 1\na: 2").unwrap_err(), Malformed { line: 2, what: "'a' is set twice".to_owned() });
        assert_eq!(entries("- a\n- b").unwrap_err().line, 1);
        assert_eq!(entries("just text").unwrap_err().line, 1);
        assert!(entries("a: &x 1\nb: *x").is_err());
    }
}
