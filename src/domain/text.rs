//! Text written by people in files, variables and arguments: which of its characters count, and how to show it in one
//! line.

/// `text` without white space and without invisible characters at both ends: a byte order mark, a zero-width space, a
/// carriage return from another system.
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// Whether a character at either end of a text is ignored; see [`trim`].
#[must_use]
pub fn is_blank(char: char) -> bool {
    char.is_whitespace() || is_ignorable(char)
}

/// Whether a character is invisible or looks like an ordinary space: controls, white space other than the space itself,
/// and characters that print as nothing.
#[must_use]
pub fn is_invisible(char: char) -> bool {
    char.is_control() || (char.is_whitespace() && char != ' ') || is_ignorable(char)
}

/// `Default_Ignorable_Code_Point` (Unicode Standard 16, `DerivedCoreProperties.txt`): characters that print as nothing.
#[must_use]
pub const fn is_ignorable(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A number of things, with the noun in the form that it needs: `1 second`, `2 seconds`. For nouns with a regular
/// plural.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// `text` in double quotes and on one line; invisible characters are escaped as in Rust (`\n`, `\u{feff}`), and a long
/// text is cut off.
#[must_use]
pub fn quote(text: &str) -> String {
    const MAX_CHARS: usize = 80;
    let mut quoted = String::from("\"");
    for char in text.chars().take(MAX_CHARS) {
        push_escaped(&mut quoted, char, matches!(char, '"' | '\\'));
    }
    if text.chars().nth(MAX_CHARS).is_some() {
        quoted.push('…');
    }
    quoted.push('"');
    quoted
}

/// `text` with its invisible characters escaped as in [`quote`].
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    text.chars().for_each(|char| push_escaped(&mut escaped, char, false));
    escaped
}

fn push_escaped(into: &mut String, char: char, special: bool) {
    match char {
        '\n' | '\r' | '\t' => into.extend(char.escape_default()),
        _ if is_invisible(char) => into.extend(char.escape_unicode()),
        _ if special => into.extend(['\\', char]),
        _ => into.push(char),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_at_both_ends_does_not_count() {
        for blank in
            [" ", "\n", "\r\n", "\t", "\u{b}", "\u{a0}", "\u{85}", "\u{2028}", "\u{feff}", "\u{200b}", "\u{2060}"]
        {
            assert_eq!(trim(&format!("{blank}{blank}a b{blank}")), "a b", "{blank:?}");
            assert_eq!(trim(blank), "");
        }
        assert_eq!(trim("\0a\u{1b}"), "\0a\u{1b}", "controls are not blanks");
    }

    #[test]
    fn one_is_no_plural() {
        let told = [0, 1, 2].map(|number| count(number, "second"));
        assert_eq!(told, ["0 seconds", "1 second", "2 seconds"]);
    }

    #[test]
    fn quoted_text_is_one_line_that_shows_everything() {
        assert_eq!(quote("a\"b\\"), r#""a\"b\\""#);
        assert_eq!(quote("35\u{200b}67\r\n\0"), r#""35\u{200b}67\r\n\u{0}""#);
        assert_eq!(quote("ä b"), "\"ä b\"");
        assert_eq!(quote(&"x".repeat(80)), format!("\"{}\"", "x".repeat(80)));
        assert_eq!(quote(&"x".repeat(81)), format!("\"{}…\"", "x".repeat(80)));
        assert_eq!(escape("port\u{a0}\"\\"), "port\\u{a0}\"\\");
    }
}
