//! `config.yaml` as a flat list of keys and raw values with their lines. The only file that names the YAML library.

use crate::config::raw::Raw;
use crate::domain::text;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use std::borrow::Cow;

/// The top level of the first document.
#[derive(Debug, Default)]
pub(super) struct Document<'a> {
    /// The entries in file order; a key may occur more than once.
    pub(super) entries: Vec<YamlEntry<'a>>,
    /// The line in which a second document begins; it is not read.
    pub(super) second: Option<usize>,
}

/// One entry of the file.
#[derive(Debug)]
pub(super) struct YamlEntry<'a> {
    /// The key without surrounding white space.
    pub(super) key: String,
    pub(super) raw: Raw<'a>,
    /// The line number, counted from 1.
    pub(super) line: usize,
}

/// Why the text is not a list of settings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    /// The line number, counted from 1.
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

/// The text without byte order marks at the ends of its lines and words: at the beginning of the file, where another
/// file was appended, around a value. YAML forbids them; for one inside a word the parser reports the line.
pub(super) fn without_marks(text: &str) -> Cow<'_, str> {
    const MARK: char = '\u{feff}';
    if !text.contains(MARK) {
        return text.into();
    }
    let is_end = |char: Option<char>| char.is_none_or(|char| char.is_whitespace() || matches!(char, '"' | '\''));
    let mut plain = String::with_capacity(text.len());
    for (at, char) in text.char_indices() {
        let mut before = text.get(..at).unwrap_or_default().chars().rev();
        let mut after = text.get(at..).unwrap_or_default().chars();
        let is_mark = |char: &char| *char == MARK;
        if char != MARK || !(is_end(before.find(|char| !is_mark(char))) || is_end(after.find(|char| !is_mark(char)))) {
            plain.push(char);
        }
    }
    plain.into()
}

/// Parses the top level of the first document. An empty document has no entries.
pub(super) fn document(text: &str) -> Result<Document<'_>, Malformed> {
    let mut events = Parser::new_from_str(text);
    let mut found = Document::default();
    loop {
        match next(&mut events)? {
            (Event::MappingStart(..), _) => break,
            (Event::Nothing | Event::StreamStart | Event::DocumentStart(_), _) => {}
            (Event::StreamEnd | Event::DocumentEnd, _) => return Ok(found),
            (Event::Scalar(text, ScalarStyle::Plain, ..), _) if Raw::plain(&*text).is_null() => {}
            (_, span) => return Err(Malformed::new(span, "expected lines of the form `key: value`")),
        }
    }
    loop {
        let (key, span) = match next(&mut events)? {
            (Event::MappingEnd, _) => break,
            (Event::Scalar(key, ..), span) => (key, span),
            (_, span) => return Err(Malformed::new(span, "expected a key")),
        };
        let raw = value(&mut events)?;
        found.entries.push(YamlEntry { key: text::trim(&key).to_owned(), raw, line: span.start.line() });
    }
    found.second = loop {
        match next(&mut events)? {
            (Event::StreamEnd, _) => break None,
            (Event::DocumentStart(_), span) => break Some(span.start.line()),
            _ => {}
        }
    };
    Ok(found)
}

fn value<'a>(events: &mut Parser<'a, saphyr_parser::StrInput<'a>>) -> Result<Raw<'a>, Malformed> {
    match next(events)? {
        (Event::Scalar(text, ScalarStyle::Plain, ..), _) => Ok(Raw::plain(text)),
        (Event::Scalar(text, ..), _) => Ok(Raw::text(text)),
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
            Ok(Raw::compound())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String, usize)> {
        let entries = document(text).unwrap().entries.into_iter();
        entries.map(|entry| (entry.key, format!("{:?}", entry.raw), entry.line)).collect()
    }

    fn entry(key: &str, raw: &str, line: usize) -> (String, String, usize) {
        (key.to_owned(), format!("Raw({raw})"), line)
    }

    #[test]
    fn entries_keep_their_kind_and_their_line() {
        let text = "# a comment\ncore_config_version: 0\n\napi_keys: \"007\"\nport: 3567 # here\nbase_path:\nx: 1.50\n";
        assert_eq!(
            read(text),
            [
                entry("core_config_version", "number", 2),
                entry("api_keys", "text", 4),
                entry("port", "number", 5),
                entry("base_path", "null", 6),
                entry("x", "number", 7),
            ]
        );
    }

    #[test]
    fn plain_null_is_null_and_quoted_null_is_text() {
        assert_eq!(
            read("a: null\nb: 'null'\nc: ~"),
            [entry("a", "null", 1), entry("b", "text", 2), entry("c", "null", 3)]
        );
    }

    #[test]
    fn white_space_of_other_kinds_belongs_to_neither_keys_nor_values() {
        let text = without_marks("\u{feff}a\u{a0}: 1\u{a0}\r\n\u{feff}b: |\r\n  x\u{feff}\u{feff}\r\n");
        let entries = document(&text).unwrap().entries;
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["a", "b"]);
        assert_eq!(format!("{:?}", entries[0].raw), "Raw(number)");
        assert_eq!(entries[1].raw.as_text(), Some("x"));
        assert_eq!(without_marks("a: \"\u{feff}b\u{feff}c\u{feff}\""), "a: \"b\u{feff}c\"");
        assert_eq!(document("a: b\u{feff}c").unwrap_err().line, 1);
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
            [entry("a", "compound", 1), entry("c", "compound", 2), entry("d", "number", 5)]
        );
    }

    #[test]
    fn a_second_document_is_noticed() {
        assert_eq!(document("---\na: 1\n...\n# the end\n").unwrap().second, None);
        assert_eq!(document("a: 1\n---\nb: 2\n").unwrap().second, Some(2));
    }

    #[test]
    fn malformed_text_is_named_with_its_line() {
        assert!(document("a: 1\nb: [1").unwrap_err().line > 0);
        assert_eq!(document("- a\n- b").unwrap_err().line, 1);
        assert_eq!(document("just text").unwrap_err().line, 1);
        assert!(document("a: &x 1\nb: *x").is_err());
    }
}
