//! Where in a file a member of a setting's value is.

use crate::config::node::{Form, Node, Position, Style};
use crate::config::yaml;

/// Where the member at a path such as `[1].clients[0].clientId` is; as near as the path leads. `source` is the text of
/// the file, for values that are JSON in a text.
pub(super) fn member(node: &Node, path: &str, source: &str) -> Position {
    if let Form::Scalar(text, _) = &node.form {
        // Of a text that is no list or map, no member can be found: its value is that text again.
        let inner = yaml::value(text).filter(|inner| !matches!(inner.form, Form::Scalar(..)));
        return inner.map_or(node.at, |inner| in_text(node, member(&inner, path, text), source));
    }
    let mut found = (node.at, node);
    for step in steps(path) {
        let next = match (&found.1.form, step) {
            (Form::List(items), Step::Item(place)) => items.get(place).map(|item| (item.at, item)),
            (Form::Map(members), Step::Member(wanted)) => {
                let member = members.iter().find(|(name, _)| name.text == wanted);
                member.map(|(name, value)| (name.at, value))
            }
            _ => None,
        };
        match next {
            Some(next) => found = next,
            None => break,
        }
    }
    found.0
}

/// The position in the file of a position in a scalar's text; the scalar's own where lines and columns of the text are
/// not those of the file.
pub(super) fn in_text(node: &Node, at: Position, source: &str) -> Position {
    let Form::Scalar(text, style) = &node.form else { return node.at };
    let written = |line: usize| source.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    match style {
        // Only single quotes leave JSON, which has quotes of its own, as it is.
        Style::Quoted if at.line == 1 && written(node.at.line).contains(text) => {
            Position { line: node.at.line, column: node.at.column + at.column }
        }
        Style::Literal => {
            let wanted = text.lines().nth(at.line.saturating_sub(1)).unwrap_or_default();
            // Its own position is where its first line begins.
            let line = node.at.line + at.line - 1;
            match written(line).trim_end().strip_suffix(wanted.trim_end()) {
                Some(indent) if !wanted.is_empty() => Position { line, column: indent.chars().count() + at.column },
                _ => node.at,
            }
        }
        Style::Plain | Style::Quoted | Style::Folded => node.at,
    }
}

enum Step<'a> {
    Item(usize),
    Member(&'a str),
}

/// The steps of a path such as `[1].clients[0].clientId` or `["a.example.com"]`.
fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    let mut rest = path;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches('.');
        if let Some((name, after)) = rest.strip_prefix("[\"").and_then(|quoted| quoted.split_once("\"]")) {
            rest = after;
            return Some(Step::Member(name));
        }
        rest = rest.strip_prefix('[').unwrap_or(rest);
        let (part, after) = rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()));
        rest = after;
        let item = part.strip_suffix(']').and_then(|number| number.parse().ok());
        (!part.is_empty()).then(|| item.map_or(Step::Member(part), Step::Item))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_in_lists_and_in_json_texts() {
        let find = |text: &str, path: &str| {
            let document = yaml::document(text).unwrap();
            let Position { line, column } = member(&document.entries[0].value, path, text);
            (line, column)
        };
        let native = "a:\n  - id: x\n    b: [1, {c: 2}]\n";
        assert_eq!(find(native, "[0].b[1].c"), (3, 13));
        assert_eq!(find(native, "[0].missing"), (2, 5));
        assert_eq!(find(native, "[7]"), (2, 3));
        assert_eq!(find("a: '[{\"id\": 1}]'", "[0].id"), (1, 7));
        assert_eq!(find("a: \"[{\\\"id\\\": 1}]\"", "[0].id"), (1, 4));
        assert_eq!(find("a: |\n  [\n    {\"id\": 1}\n  ]\n", "[0].id"), (3, 6));
        assert_eq!(find("a: >\n  [\n  {\"id\": 1}]\n", "[0].id"), (2, 3));
        assert_eq!(find("a: nonsense", "[0].id"), (1, 4));
        assert_eq!(find("a:\n  x.io: y\n  b.io: {c: 2}\n", "[\"b.io\"]"), (3, 3));
        assert_eq!(find("a:\n  x.io: y\n  b.io: {c: 2}\n", "[\"b.io\"].c"), (3, 10));
    }
}
