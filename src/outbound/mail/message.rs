//! A letter in the format of mail: header and two parts (RFC 5322, 2045 to 2047, 2046 for the alternatives).
//!
//! The same letter always has the same bytes, so that one which is sent again can be recognised.

use super::Letter;
use crate::domain::mail::{HeaderText, Sender};
use crate::domain::time::UnixMillis;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The longest line of text that is sent as it is. Beyond 998 bytes servers may refuse a mail (RFC 5322, 2.1.1).
const MAX_LINE: usize = 900;
/// Bytes per line of base64: 76 characters.
const BASE64_LINE: usize = 57;
/// Bytes per encoded word: with its frame, less than the 75 characters that are allowed.
const WORD: usize = 42;

/// The bytes of a letter from this sender.
#[must_use]
pub fn message(from: &Sender, letter: &Letter) -> Vec<u8> {
    let (_, domain) = from.address.parts();
    let boundary = format!("part-{}", letter.id.simple());
    let name = shown_name(&from.name);
    let lines = [
        format!("Date: {}", date(letter.date)),
        format!("From: {name}<{}>", from.address),
        format!("To: <{}>", letter.mail.to),
        format!("Subject: {}", unstructured(letter.subject.as_str())),
        format!("Message-ID: <{}@{domain}>", letter.id),
        "Auto-Submitted: auto-generated".to_owned(),
        format!("Content-Language: {}", letter.mail.language.name()),
        "MIME-Version: 1.0".to_owned(),
        format!("Content-Type: multipart/alternative; boundary=\"{boundary}\""),
        String::new(),
    ];
    let parts = [("plain", &letter.text), ("html", &letter.html)].map(|(kind, text)| part(&boundary, kind, text));
    let mut message = lines.join("\r\n") + "\r\n";
    message.extend(parts);
    message.push_str(&format!("--{boundary}--\r\n"));
    message.into_bytes()
}

/// One of the alternatives, with the boundary before it.
fn part(boundary: &str, kind: &str, text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let is_plain = text.is_ascii() && text.lines().all(|line| line.len() <= MAX_LINE) && !text.contains('\0');
    let (encoding, body) = match is_plain {
        true => ("7bit", text.trim_end().replace('\n', "\r\n")),
        false => ("base64", base64_lines(text.as_bytes())),
    };
    format!(
        "--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n"
    )
}

fn base64_lines(bytes: &[u8]) -> String {
    bytes.chunks(BASE64_LINE).map(|line| STANDARD.encode(line)).collect::<Vec<_>>().join("\r\n")
}

/// The name of a sender, and the space after it; nothing for an empty one.
fn shown_name(name: &HeaderText) -> String {
    match name.as_str() {
        "" => String::new(),
        name if is_clear(name) => format!("\"{}\" ", name.replace('\\', "\\\\").replace('"', "\\\"")),
        name => format!("{} ", encoded_words(name)),
    }
}

/// The text of a header in which only words count.
fn unstructured(text: &str) -> String {
    if is_clear(text) { text.to_owned() } else { encoded_words(text) }
}

/// Whether a text can stand in a header as it is, and is not read as an encoded word.
fn is_clear(text: &str) -> bool {
    text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) && !text.contains("=?")
}

/// The text as encoded words (RFC 2047), each on a line of its own.
fn encoded_words(text: &str) -> String {
    let (mut words, mut word) = (Vec::new(), String::new());
    for char in text.chars() {
        if word.len() + char.len_utf8() > WORD {
            words.push(std::mem::take(&mut word));
        }
        word.push(char);
    }
    words.push(word);
    let words: Vec<_> = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word))).collect();
    words.join("\r\n ")
}

/// The date in the format of RFC 5322, 3.3, in UTC.
fn date(moment: UnixMillis) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]; // 1970 began with a Thursday
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = moment.to_string();
    let (day, time) = text.split_once('T').unwrap_or_default();
    let mut parts = day.split('-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|month| MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?));
    let weekday = usize::try_from(moment.seconds() / 86_400 % 7).ok().and_then(|day| DAYS.get(day));
    format!(
        "{}, {} {} {} {} +0000",
        weekday.unwrap_or(&""),
        day.unwrap_or_default(),
        month.unwrap_or(&""),
        year.unwrap_or_default(),
        time.get(..8).unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_mail() {
        assert_eq!(date(UnixMillis(0)), "Thu, 01 Jan 1970 00:00:00 +0000");
        assert_eq!(date(UnixMillis(1_700_000_000_000)), "Tue, 14 Nov 2023 22:13:20 +0000");
        assert_eq!(date(UnixMillis(1_709_210_096_789)), "Thu, 29 Feb 2024 12:34:56 +0000");
    }

    #[test]
    fn clear_text_stays_clear_and_other_text_becomes_encoded_words() {
        assert_eq!(unstructured("Shop: a new password"), "Shop: a new password");
        assert_eq!(unstructured("Grüße"), "=?utf-8?B?R3LDvMOfZQ==?=");
        assert!(!unstructured("=?utf-8?B?Y2xldmVy?=").contains("Y2xldmVy"), "it means itself");
        assert_eq!(shown_name(&HeaderText::new("The \"Shop\\")), "\"The \\\"Shop\\\\\" ");
        assert_eq!(shown_name(&HeaderText::new("")), "");
    }

    #[test]
    fn encoded_words_are_short_and_break_between_characters() {
        let text = "新しいパスワードの設定".repeat(6);
        let encoded = unstructured(&text);
        let mut decoded = String::new();
        for line in encoded.split("\r\n ") {
            assert!(line.len() <= 75, "{line}");
            let word = line.strip_prefix("=?utf-8?B?").unwrap().strip_suffix("?=").unwrap();
            decoded.push_str(std::str::from_utf8(&STANDARD.decode(word).unwrap()).unwrap());
        }
        assert_eq!(decoded, text);
    }

    #[test]
    fn parts_have_lines_that_every_server_takes() {
        let plain = part("b", "plain", "one\r\ntwo\nthree\rfour\n");
        assert!(plain.ends_with("7bit\r\n\r\none\r\ntwo\r\nthree\r\nfour\r\n"), "{plain:?}");
        for text in ["ä", &"x".repeat(MAX_LINE + 1), "a\0b"] {
            let encoded = part("b", "plain", text);
            assert!(encoded.contains("base64\r\n") && encoded.is_ascii(), "{encoded}");
            assert!(encoded.split("\r\n").all(|line| line.len() <= 76), "{encoded}");
        }
    }
}
