//! Rows of a dump, and access to their columns by name.

use std::ops::Range;

/// A table whose rows a dump holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its schema; empty if the dump names none.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// The names of its columns, in the order of the rows.
    pub columns: Vec<String>,
}

impl Table {
    /// Parses what follows `COPY ` in the statement before a table's rows; `None` if it is not such a statement.
    #[must_use]
    pub fn parse(statement: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(statement).ok()?;
        let (first, rest) = identifier(text.strip_suffix(" FROM stdin;")?)?;
        let (schema, (name, rest)) = match rest.strip_prefix('.') {
            Some(rest) => (first, identifier(rest)?),
            None => (String::new(), (first, rest)),
        };
        let (mut columns, mut rest) = (Vec::new(), rest.strip_prefix(" (")?);
        loop {
            let (column, after) = identifier(rest)?;
            columns.push(column);
            match after.strip_prefix(", ") {
                Some(more) => rest = more,
                None if after == ")" => break,
                None => return None,
            }
        }
        Some(Self { schema, name, columns })
    }

    /// The place of a column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }
}

/// An identifier at the beginning of a text, in quotation marks or without, and what follows it.
fn identifier(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (mut name, mut rest) = (String::new(), quoted);
        loop {
            let (part, after) = rest.split_once('"')?;
            name.push_str(part);
            match after.strip_prefix('"') {
                // Two quotation marks stand for one.
                Some(more) => {
                    name.push('"');
                    rest = more;
                }
                None => return Some((name, after)),
            }
        }
    }
    let end = text.find(|char: char| !(char.is_alphanumeric() || char == '_' || char == '$')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    (!name.is_empty()).then(|| (name.to_owned(), rest))
}

/// One row; reused for the next.
#[derive(Debug, Default)]
pub struct Row {
    text: String,
    fields: Vec<Option<Range<usize>>>,
}

impl Row {
    /// The value of the column at this place; `None` for NULL.
    #[must_use]
    pub fn field(&self, at: usize) -> Option<&str> {
        self.text.get(self.fields.get(at)?.clone()?)
    }
}

/// Takes a line of COPY text apart into `count` values.
pub(super) fn unescape(line: &[u8], count: usize, row: &mut Row) -> Result<(), String> {
    let Row { text, fields } = row;
    text.clear();
    fields.clear();
    let line = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
    for value in line.split('\t') {
        if value == "\\N" {
            fields.push(None);
            continue;
        }
        let start = text.len();
        let mut parts = value.split('\\');
        text.push_str(parts.next().unwrap_or_default());
        while let Some(part) = parts.next() {
            let mut chars = part.chars();
            match chars.next() {
                Some('t') => text.push('\t'),
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('b') => text.push('\u{8}'),
                Some('f') => text.push('\u{c}'),
                Some('v') => text.push('\u{b}'),
                // Two backslashes stand for one; what follows the second is text.
                None => {
                    let rest = parts.next().ok_or("it ends in the middle of an escape")?;
                    text.push('\\');
                    text.push_str(rest);
                    continue;
                }
                Some(_) => return Err("it has an unknown escape".to_owned()),
            }
            text.push_str(chars.as_str());
        }
        fields.push(Some(start..text.len()));
    }
    if fields.len() == count { Ok(()) } else { Err(format!("it has {} columns instead of {count}", fields.len())) }
}

/// A row together with its table: its columns by name.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// The table.
    pub table: &'a Table,
    /// The row.
    pub row: &'a Row,
}

/// A column that is missing, or whose value is not of its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column} {what}")]
pub struct ColumnError {
    /// The column's name.
    pub column: &'static str,
    /// What is wrong with it.
    pub what: &'static str,
}

impl<'a> Record<'a> {
    /// A value that may be NULL; that of a column which the schema does not have is.
    #[must_use]
    pub fn optional(&self, column: &str) -> Option<&'a str> {
        self.row.field(self.table.column(column)?)
    }

    /// A value that is never NULL.
    ///
    /// # Errors
    /// When it is missing.
    pub fn text(&self, column: &'static str) -> Result<&'a str, ColumnError> {
        self.optional(column).ok_or(ColumnError { column, what: "is missing" })
    }

    /// A whole number that may be NULL, but not negative.
    ///
    /// # Errors
    /// When it is another value.
    pub fn optional_number(&self, column: &'static str) -> Result<Option<u64>, ColumnError> {
        let number = |text: &str| text.parse().map_err(|_| ColumnError { column, what: "is not a number" });
        self.optional(column).map(number).transpose()
    }

    /// A whole number, not negative.
    ///
    /// # Errors
    /// When it is missing or another value.
    pub fn number(&self, column: &'static str) -> Result<u64, ColumnError> {
        self.optional_number(column)?.ok_or(ColumnError { column, what: "is missing" })
    }

    /// A truth value; NULL and a missing column are false.
    #[must_use]
    pub fn flag(&self, column: &str) -> bool {
        self.optional(column) == Some("t")
    }

    /// The row as a JSON object of texts and nulls.
    #[must_use]
    pub fn to_json(&self) -> String {
        let values = self.table.columns.iter().enumerate();
        let members = values.map(|(at, name)| (name.clone(), self.row.field(at).into()));
        serde_json::Value::Object(members.collect()).to_string()
    }
}

/// The texts of an array, `{a,"b c",NULL}`; `None` if it is none. NULLs are left out.
#[must_use]
pub fn text_array(text: &str) -> Option<Vec<String>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let (mut texts, mut chars) = (Vec::new(), inner.chars().peekable());
    while chars.peek().is_some() {
        let (mut value, mut is_quoted) = (String::new(), false);
        if chars.next_if_eq(&'"').is_some() {
            is_quoted = true;
            loop {
                match chars.next()? {
                    '"' => break,
                    '\\' => value.push(chars.next()?),
                    char => value.push(char),
                }
            }
        } else {
            while let Some(char) = chars.next_if(|char| *char != ',') {
                value.push(char);
            }
        }
        if is_quoted || value != "NULL" {
            texts.push(value);
        }
        match chars.next() {
            None => break,
            Some(',') if chars.peek().is_some() => {}
            Some(_) => return None,
        }
    }
    Some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_be_quoted() {
        let table = Table::parse(br#""a ""b"" c"."d" (e, "f g", _h1) FROM stdin;"#).unwrap();
        assert_eq!((table.schema.as_str(), table.name.as_str()), (r#"a "b" c"#, "d"));
        assert_eq!(table.columns, ["e", "f g", "_h1"]);
        assert_eq!(Table::parse(b"apps (app_id) FROM stdin;").unwrap().schema, "");
        for bad in
            ["apps FROM stdin;", "a.b.c (d) FROM stdin;", "a (b) TO stdout;", "a () FROM stdin;", "\"a (b) FROM stdin;"]
        {
            assert_eq!(Table::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn arrays_are_read() {
        let read = |text: &str| text_array(text).map(|texts| texts.join("|"));
        assert_eq!(read("{}"), Some(String::new()));
        assert_eq!(read(r#"{openid,"a b",NULL,"NULL","q\"x\\",""}"#), Some("openid|a b|NULL|q\"x\\|".to_owned()));
        for bad in ["", "{", "a,b", r#"{"a}"#, r#"{"a"b}"#, "{a,}"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
