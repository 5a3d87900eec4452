//! Environment variables: looking them up by name, and removing the quotes around their values.

use crate::config::raw::trim_os;
use crate::domain::text;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// The warning about a variable without a value.
pub(super) fn empty(name: &str) -> String {
    format!("Environment variable {name} is empty: it counts as not set.")
}

/// A variable's value without surrounding quotes and white space; `None` if nothing is left.
pub(super) fn value<'a>(env: &'a BTreeMap<String, OsString>, name: &str) -> Option<Cow<'a, OsStr>> {
    let given = find(env, name)?;
    let plain = match given.to_str() {
        Some(text) => Cow::Owned(text::trim(&unquote(text)).into()),
        None => Cow::Borrowed(trim_os(given)),
    };
    (!plain.is_empty()).then_some(plain)
}

/// A variable as it was given. A file of variables may begin with a byte order mark, which becomes part of the first
/// name.
pub(super) fn find<'a>(env: &'a BTreeMap<String, OsString>, name: &str) -> Option<&'a OsStr> {
    let misspelt = || env.iter().find(|(known, _)| text::trim(known) == name).map(|(_, given)| given);
    env.get(name).or_else(misspelt).map(OsString::as_os_str)
}

/// A variable's value without the quotes that readers of env files leave around it: double quotes, whose escapes are
/// then resolved, as Docker needs it; or single quotes.
fn unquote(given: &str) -> String {
    let text = text::trim(given);
    match text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(inner) => inner.to_owned(),
        None => unquote_double(text),
    }
}

/// The same for double quotes only. Single quotes may be part of a secret.
pub(super) fn unquote_double(given: &str) -> String {
    let inner = text::trim(given).strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else { return given.to_owned() };
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            plain.push(char);
            continue;
        }
        match chars.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some(quoted @ ('"' | '\'' | '\\')) => plain.push(quoted),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_around_a_value_go_and_escapes_in_double_ones_are_resolved() {
        for (given, plain) in [
            (r#""a\\b\tc\n""#, "a\\b\tc\n"),
            (r#""\"\'\x\""#, "\"'\\x\\"),
            (r"'a\tb'", r"a\tb"),
            ("\"a\"\r\n", "a"),
            ("'a\"", "'a\""),
            ("''", ""),
            ("'", "'"),
            ("\"", "\""),
        ] {
            assert_eq!(unquote(given), plain, "{given}");
        }
        assert_eq!(unquote_double("'a'"), "'a'");
    }
}
