//! The only file that names the YAML library: reads `config.yaml` as a list of keys and values with their positions.

use crate::config::node::{Form, Name, Node, Position, Style};
use crate::domain::text;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};
use std::borrow::Cow;

/// How deeply lists and maps may be nested.
const MAX_DEPTH: usize = 32;

/// The top level of the first document.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// The entries in file order; a key may occur more than once.
    pub(super) entries: Vec<Entry>,
    /// The line in which a second document begins; it is not read.
    pub(super) second: Option<Position>,
    /// Where the text stops being YAML; the entries are those before.
    pub(super) broken: Option<Malformed>,
}

/// One entry of the file.
#[derive(Debug)]
pub(super) struct Entry {
    /// The key without surrounding white space.
    pub(super) key: String,
    /// Where the key begins.
    pub(super) at: Position,
    pub(super) value: Node,
}

/// Why the text is not a list of settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) at: Position,
    pub(super) what: String,
}

impl Malformed {
    fn new(span: Span, what: impl Into<String>) -> Self {
        Self { at: position(span), what: what.into() }
    }
}

impl From<ScanError> for Malformed {
    fn from(error: ScanError) -> Self {
        let marker = error.marker();
        Self { at: Position { line: marker.line(), column: marker.col() + 1 }, what: error.info().to_owned() }
    }
}

fn position(span: Span) -> Position {
    Position { line: span.start.line(), column: span.start.col() + 1 }
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

type Events<'a> = Parser<'a, StrInput<'a>>;

/// Parses the top level of the first document. An empty document has no entries.
pub(super) fn document(text: &str) -> Result<Document, Malformed> {
    let mut events = Parser::new_from_str(text);
    let mut found = Document::default();
    loop {
        match next(&mut events)? {
            (Event::MappingStart(..), _) => break,
            (Event::Nothing | Event::StreamStart | Event::DocumentStart(_), _) => {}
            (Event::StreamEnd | Event::DocumentEnd, _) => return Ok(found),
            (Event::Scalar(text, ScalarStyle::Plain, ..), _) if matches!(text::trim(&text), "" | "~" | "null") => {}
            (_, span) => return Err(Malformed::new(span, "expected lines of the form `key: value`")),
        }
    }
    found.broken = entries(&mut events, &mut found.entries).err();
    if found.broken.is_none() {
        found.second = second(&mut events)?;
    }
    Ok(found)
}

/// The value that a text is, such as JSON.
pub(super) fn value(text: &str) -> Option<Node> {
    let mut events = Parser::new_from_str(text);
    loop {
        match next(&mut events).ok()? {
            (Event::Nothing | Event::StreamStart | Event::DocumentStart(_), _) => {}
            (event, span) => return node(&mut events, event, span, MAX_DEPTH).ok(),
        }
    }
}

fn entries(events: &mut Events<'_>, into: &mut Vec<Entry>) -> Result<(), Malformed> {
    loop {
        let (key, span) = match next(events)? {
            (Event::MappingEnd, _) => return Ok(()),
            (Event::Scalar(key, ..), span) => (key, span),
            (_, span) => return Err(Malformed::new(span, "expected a key")),
        };
        let key = text::trim(&key).to_owned();
        let (event, inner) = next(events)?;
        let value = node(events, event, inner, MAX_DEPTH)?;
        into.push(Entry { key, at: position(span), value });
    }
}

fn second(events: &mut Events<'_>) -> Result<Option<Position>, Malformed> {
    loop {
        match next(events)? {
            (Event::StreamEnd, _) => return Ok(None),
            (Event::DocumentStart(_), span) => return Ok(Some(position(span))),
            _ => {}
        }
    }
}

/// The value that begins with an event, of at most `depth` levels.
fn node(events: &mut Events<'_>, event: Event<'_>, span: Span, depth: usize) -> Result<Node, Malformed> {
    let form = match event {
        Event::Scalar(text, style, _, tag) if tag.is_none() || depth == MAX_DEPTH => {
            let style = match style {
                ScalarStyle::Plain => Style::Plain,
                ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                ScalarStyle::Literal => Style::Literal,
                ScalarStyle::Folded => Style::Folded,
            };
            Form::Scalar(text.into_owned(), style)
        }
        Event::SequenceStart(..) | Event::MappingStart(..) if depth == 0 => {
            skip(events)?;
            Form::Refused("it is nested too deeply")
        }
        Event::SequenceStart(_, None) => Form::List(items(events, depth - 1)?),
        Event::MappingStart(_, None) => members(events, depth - 1)?,
        Event::Scalar(..) => Form::Refused(TAGS),
        Event::SequenceStart(..) | Event::MappingStart(..) => {
            skip(events)?;
            Form::Refused(TAGS)
        }
        Event::Alias(_) => Form::Refused("anchors and aliases are not supported here"),
        _ => return Err(Malformed::new(span, "expected a value")),
    };
    Ok(Node { at: position(span), form })
}

const TAGS: &str = "tags are not supported here";

fn items(events: &mut Events<'_>, depth: usize) -> Result<Vec<Node>, Malformed> {
    let mut items = Vec::new();
    loop {
        match next(events)? {
            (Event::SequenceEnd, _) => return Ok(items),
            (event, span) => items.push(node(events, event, span, depth)?),
        }
    }
}

fn members(events: &mut Events<'_>, depth: usize) -> Result<Form, Malformed> {
    let mut members = Vec::new();
    loop {
        let (event, span) = next(events)?;
        if event == Event::MappingEnd {
            return Ok(Form::Map(members));
        }
        let at = position(span);
        let (text, refusal) = match event {
            Event::Scalar(text, ..) => (text.into_owned(), None),
            other => {
                node(events, other, span, depth)?;
                (String::new(), Some(Form::Refused("the name of a member must be text")))
            }
        };
        let (event, span) = next(events)?;
        let value = node(events, event, span, depth)?;
        let value = refusal.map_or(value, |form| Node { at, form });
        members.push((Name { at, text }, value));
    }
}

/// Passes over the rest of a list or a map.
fn skip(events: &mut Events<'_>) -> Result<(), Malformed> {
    let mut depth = 1_usize;
    while depth > 0 {
        match next(events)?.0 {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth -= 1,
            Event::StreamEnd => break,
            _ => {}
        }
    }
    Ok(())
}

fn next<'a>(events: &mut Events<'a>) -> Result<(Event<'a>, Span), Malformed> {
    match events.next_event() {
        Some(event) => Ok(event?),
        None => Ok((Event::StreamEnd, Span::default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String, (usize, usize))> {
        let kind = |node: &Node| match &node.form {
            Form::Scalar(text, style) => format!("{style:?} {text}"),
            Form::List(items) => format!("list of {}", items.len()),
            Form::Map(members) => format!("map of {}", members.len()),
            Form::Refused(why) => (*why).to_owned(),
        };
        let entries = document(text).unwrap().entries.into_iter();
        entries.map(|Entry { key, at, value }| (key, kind(&value), (at.line, value.at.column))).collect()
    }

    fn entry(key: &str, kind: &str, line: usize, column: usize) -> (String, String, (usize, usize)) {
        (key.to_owned(), kind.to_owned(), (line, column))
    }

    #[test]
    fn entries_keep_their_kind_and_their_place() {
        let text = "# a comment\ncore_config_version: 0\n\napi_keys: \"007\"\nport: 3567 # here\nx: 'null'\ny: ~";
        assert_eq!(
            read(text),
            [
                entry("core_config_version", "Plain 0", 2, 22),
                entry("api_keys", "Quoted 007", 4, 11),
                entry("port", "Plain 3567", 5, 7),
                entry("x", "Quoted null", 6, 4),
                entry("y", "Plain ~", 7, 4),
            ]
        );
    }

    #[test]
    fn white_space_of_other_kinds_belongs_to_neither_keys_nor_values() {
        let text = without_marks("\u{feff}a\u{a0}: 1\u{a0}\r\n\u{feff}b: |\r\n  x\u{feff}\u{feff}\r\n");
        let entries = document(&text).unwrap().entries;
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["a", "b"]);
        let text = |node: &Node| match &node.form {
            Form::Scalar(text, _) => text.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!([text(&entries[0].value), text(&entries[1].value)], ["1\u{a0}", "x\n"]);
        assert_eq!(without_marks("a: \"\u{feff}b\u{feff}c\u{feff}\""), "a: \"b\u{feff}c\"");
        assert_eq!(document("a: b\u{feff}c").unwrap().broken.unwrap().at.line, 1);
    }

    #[test]
    fn a_file_of_comments_has_no_entries() {
        assert_eq!(read(""), []);
        assert_eq!(read("# nothing\n"), []);
        assert_eq!(read("---\n"), []);
    }

    #[test]
    fn nested_values_are_kept_up_to_a_depth() {
        let deep = format!("d: {}{}\ne: 1", "[".repeat(200), "]".repeat(200));
        assert_eq!(
            read(&format!("a: {{b: [1, 2]}}\nc:\n  - x\n  - y: 1\n{deep}")),
            [
                entry("a", "map of 1", 1, 4),
                entry("c", "list of 2", 2, 3),
                entry("d", "list of 1", 5, 4),
                entry("e", "Plain 1", 6, 4)
            ]
        );
    }

    #[test]
    fn a_second_document_is_noticed() {
        assert_eq!(document("---\na: 1\n...\n# the end\n").unwrap().second, None);
        assert_eq!(document("a: 1\n---\nb: 2\n").unwrap().second.unwrap().line, 2);
    }

    #[test]
    fn malformed_text_is_named_with_its_place_and_what_comes_before_is_kept() {
        let line = |text| document(text).unwrap_err().at.line;
        assert_eq!(line("- a\n- b"), 1);
        assert_eq!(line("just text"), 1);
        let broken = |text: &str| {
            let document = document(text).unwrap();
            (document.entries.len(), document.broken.map(|broken| broken.at.line))
        };
        assert_eq!(broken("a: 1\nb: [1\n"), (1, Some(3)));
        assert_eq!(broken("a: 1\nb:\n\t- 1\nc: 2"), (1, Some(3)), "a tab");
        assert_eq!(broken("a: 1\n[b]: 1"), (1, Some(2)));
        assert_eq!(read("a: &x 1\nb: *x")[1], entry("b", "anchors and aliases are not supported here", 2, 4));
    }
}
