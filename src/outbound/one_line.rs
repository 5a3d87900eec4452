//! What servers say, for logs.

/// The longest text of a server that is kept, in characters.
const MAX_WORDS: usize = 300;

/// A server's words as one line of bounded length.
pub(super) fn one_line(words: &str) -> String {
    let is_gap = |char: char| char.is_whitespace() || char.is_control();
    let line = words.split(is_gap).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_WORDS).collect()
}
