//! Which addresses and passwords people may choose (protocol: 21, 4 and 6). The rules are those that frontends show.

use regex::Regex;
use std::sync::LazyLock;

/// The SDKs' pattern for addresses, which knows no white space beyond that of JavaScript.
static EMAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    const LOCAL: &str = r#"([^<>()\[\]\\.,;:\s@"]+(\.[^<>()\[\]\\.,;:\s@"]+)*)|("[^\n\r\u{2028}\u{2029}]+")"#;
    const HOST: &str = r"(\[[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\])|(([a-zA-Z\-0-9]+\.)+[a-zA-Z]{2,})";
    Regex::new(&format!("^(?:{LOCAL})@(?:{HOST})$")).ok()
});

/// Why an address is refused, if it is.
#[must_use]
pub fn email(address: &str) -> Option<&'static str> {
    // invariant: the pattern compiles
    let is_email = EMAIL.as_ref().is_some_and(|pattern| pattern.is_match(address));
    (!is_email).then_some("Email is invalid")
}

/// Why a password is refused, if it is. Lengths are in UTF-16 units, as in browsers.
#[must_use]
pub fn password(password: &str) -> Option<&'static str> {
    let length = password.encode_utf16().count();
    if length < 8 {
        return Some("Password must contain at least 8 characters, including a number");
    }
    if length >= 100 {
        return Some("Password's length must be lesser than 100 characters");
    }
    if !password.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return Some("Password must contain at least one alphabet");
    }
    if !password.bytes().any(|byte| byte.is_ascii_digit()) {
        return Some("Password must contain at least one number");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{email, password};

    #[test]
    fn addresses_are_those_that_frontends_accept() {
        for address in
            ["a@b.cd", "first.last+tag@sub.example-1.org", "\"two words\"@b.cd", "a@[127.0.0.1]", "ä@b.cd", "A@B.CD"]
        {
            assert_eq!(email(address), None, "{address}");
        }
        for address in [
            "",
            "nobody",
            "a@b",
            "a@b.c",
            "a@b.c1",
            "a@b@c.de",
            "a b@c.de",
            "a@bü.de",
            "a..b@c.de",
            ".a@b.cd",
            "a.@b.cd",
            "a@.cd",
            "@b.cd",
            "\"\"@b.cd",
            "a@[127.0.0]",
            "a@b.cd\n",
            "a,b@c.de",
        ] {
            assert_eq!(email(address), Some("Email is invalid"), "{address:?}");
        }
    }

    #[test]
    fn passwords_have_length_letters_and_digits() {
        let long = format!("a1{}", "x".repeat(97));
        assert_eq!(password("abcdefg1"), None);
        assert_eq!(password(&long), None);
        for (word, start) in [
            ("", "Password must contain at least 8"),
            ("abcdef1", "Password must contain at least 8"),
            (&format!("{long}x"), "Password's length"),
            ("12345678", "Password must contain at least one alphabet"),
            ("abcdefgh", "Password must contain at least one number"),
            ("ääääääää1", "Password must contain at least one alphabet"),
            ("abcdefg٣", "Password must contain at least one number"),
            ("😀😀😀a", "Password must contain at least 8"),
            ("😀😀😀😀", "Password must contain at least one alphabet"),
        ] {
            assert!(password(word).is_some_and(|why| why.starts_with(start)), "{word}");
        }
    }
}
