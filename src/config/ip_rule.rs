//! IP rules: regular expressions that must match the whole of a peer's address.

use crate::domain::text;
use regex::Regex;
use regex_syntax::hir::{Hir, HirKind};

/// Compiles a rule. Blank text is no rule.
///
/// # Errors
/// When it is not a regular expression.
pub(super) fn compile(pattern: Option<&str>) -> Result<Option<Regex>, regex::Error> {
    match written(pattern) {
        None => Ok(None),
        // The bare rule is compiled first: "a)|(b" is valid only when wrapped.
        Some(pattern) => Regex::new(pattern).and_then(|_| Regex::new(&whole(pattern))).map(Some),
    }
}

/// A rule without surrounding blanks; blank text is no rule.
fn written(pattern: Option<&str>) -> Option<&str> {
    pattern.map(text::trim).filter(|pattern| !pattern.is_empty())
}

/// The pattern that [`compile`] builds from a rule.
pub(super) fn whole(pattern: &str) -> String {
    format!("^(?:{})$", text::trim(pattern))
}

/// Checks a rule: it must be a regular expression, and none of its parts may contain a character that occurs in no
/// address and was probably left over from a file or a shell (a space, a line break, a quotation mark): such a part
/// matches nothing.
///
/// # Errors
/// The protocol's sentence, and the character that the part looks for.
pub(super) fn check(key: &str, pattern: Option<&str>) -> Result<(), String> {
    let invalid = || format!("Provided regular expression is invalid for {key} config");
    if compile(pattern).is_err() {
        return Err(invalid());
    }
    let Some(pattern) = written(pattern) else { return Ok(()) };
    match regex_syntax::parse(pattern).ok().as_ref().and_then(leftover) {
        None => Ok(()),
        Some(char) => {
            let char = text::quote(char.encode_utf8(&mut [0; 4]));
            Err(format!("{}: {} looks for {char}, which is in no address", invalid(), text::quote(pattern)))
        }
    }
}

/// Whether no address can match a rule that [`check`] accepts, such as a rule written like a network (`10.0.0.0/8`) or
/// a name.
pub(super) fn matches_no_address(pattern: &str) -> bool {
    regex_syntax::parse(text::trim(pattern)).is_ok_and(|rule| !can_match(&rule))
}

/// A white space, an invisible character or a quotation mark that some part of a rule requires in an address.
fn leftover(rule: &Hir) -> Option<char> {
    let is_leftover = |char: &char| char.is_whitespace() || text::is_invisible(*char) || QUOTES.contains(char);
    match rule.kind() {
        HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0).chars().find(is_leftover),
        HirKind::Repetition(repetition) if repetition.min > 0 => leftover(&repetition.sub),
        HirKind::Capture(capture) => leftover(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().find_map(leftover),
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

const QUOTES: [char; 9] = ['"', '\'', '`', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201c}', '\u{201d}', '\u{201e}'];

fn can_match(rule: &Hir) -> bool {
    let in_address = |char: char| matches!(char, '0'..='9' | 'a'..='f' | '.' | ':');
    match rule.kind() {
        HirKind::Literal(literal) => literal.0.iter().all(|byte| in_address(char::from(*byte))),
        HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => class
            .iter()
            .any(|range| ('.'..='f').any(|char| in_address(char) && (range.start()..=range.end()).contains(&char))),
        HirKind::Repetition(repetition) => repetition.min == 0 || can_match(&repetition.sub),
        HirKind::Capture(capture) => can_match(&capture.sub),
        HirKind::Concat(parts) => parts.iter().all(can_match),
        HirKind::Alternation(parts) => parts.iter().any(can_match),
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_look_for_what_is_left_over_are_named() {
        for (pattern, found) in [
            (r"10\..* | 192\..*", r#"" ""#),
            ("10\\..*\n|192\\..*", r#""\n""#),
            (r"'10\..*'", r#""'""#),
            ("\u{201c}10\u{201d}", "\"\u{201c}\""),
            ("10\\.\u{200b}0", r#""\u{200b}""#),
            ("( 1|2)", r#"" ""#),
            ("(1 )+", r#"" ""#),
        ] {
            let sentence = check("ip_deny_regex", Some(pattern)).unwrap_err();
            assert!(
                sentence.starts_with("Provided regular expression is invalid for ip_deny_regex config: "),
                "{sentence}"
            );
            assert!(sentence.contains(&format!("looks for {found}, which")), "{sentence}");
        }
        let none = [r"10\..*", " \n", r"[^ ]+", r"\S+", r"1 ?0", r"::1|0:0:0:0:0:0:0:1"];
        for pattern in none {
            assert_eq!(check("ip_deny_regex", Some(pattern)), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn a_rule_that_no_address_matches_is_known() {
        for pattern in ["10.0.0.0/8", "localhost", "(example|test)\\.org", "[xyz]+", "10\\.0\\.0\\.x"] {
            assert!(matches_no_address(pattern), "{pattern}");
        }
        for pattern in ["10|localhost", ".*", "", "[a-z]+", "fe80:.*", "(x)?10", "\\d+", "[^x]", "^127\\.0\\.0\\.1$"] {
            assert!(!matches_no_address(pattern), "{pattern}");
        }
    }
}
