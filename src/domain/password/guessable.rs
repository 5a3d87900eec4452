//! Passwords that a guesser tries first: common ones, and the names of the people and things around them (NIST SP
//! 800-63B-4, 3.1.1.2).

/// The list: lines that begin with `#`, an empty line, then one password a line, sorted by bytes.
const FILE: &str = include_str!("common_passwords.txt");
/// Digits and signs at the end that make no difference: people add them because a form asks for them.
const MAX_TAIL: usize = 5;

/// True for a common password, and for one of these names: of the app, of the person. Capital letters, up to five digits
/// and signs at the end, and digits in the place of letters (`P4ssw0rd!`) make no difference.
#[must_use]
pub fn is_guessable(password: &str, names: &[&str]) -> bool {
    let word = plain(password);
    let names: Vec<String> = names.iter().map(|name| plain(name)).collect();
    stems(&word).any(|stem| {
        let spelt = spelt_out(stem);
        [stem, &spelt].into_iter().any(|stem| is_common(stem) || names.iter().any(|name| name == stem))
    })
}

/// Without white space and capital letters.
fn plain(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// The word, and what is left without one to five digits or signs at its end.
fn stems(word: &str) -> impl Iterator<Item = &str> {
    let tail = word.char_indices().rev().take(MAX_TAIL).take_while(|(_, character)| !character.is_alphabetic());
    std::iter::once(word).chain(tail.filter_map(|(end, _)| word.get(..end)))
}

/// The word with letters for the digits and signs that look like them.
fn spelt_out(word: &str) -> String {
    let letter = |character| match character {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    word.chars().map(letter).collect()
}

/// Looks a word up where it stands in the binary: nothing is read or built at start.
fn is_common(word: &str) -> bool {
    let mut rest = list();
    while !rest.is_empty() {
        // The line in the middle, and what is before and after it.
        let (before, from) =
            rest.split_at(rest.get(..rest.len() / 2).and_then(|half| half.rfind('\n')).map_or(0, |end| end + 1));
        let (line, after) = from.split_once('\n').unwrap_or((from, ""));
        match word.cmp(line) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => rest = before,
            std::cmp::Ordering::Greater => rest = after,
        }
    }
    false
}

/// The passwords of the list.
fn list() -> &'static str {
    FILE.split_once("\n\n").map_or("", |(_, list)| list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_complete_and_every_line_of_it_is_found() {
        let lines: Vec<&str> = list().lines().collect();
        // Of 19,640: the others have no letter, are too short, or end in digits and signs after another one.
        assert_eq!(lines.len(), 10_827);
        assert!(lines.is_sorted() && lines.iter().all(|line| line.is_ascii() && **line == plain(line)));
        assert!(lines.iter().all(|line| is_common(line)));
        assert!(FILE.starts_with('#') && FILE.contains("BSD-3-Clause"));
    }

    #[test]
    fn common_passwords_are_refused_with_their_trivial_variants() {
        for password in [
            "password1",
            "Password1",
            "PASSWORD123!",
            "P4ssw0rd!",
            "p@$$w0rd1",
            "qwerty123",
            "Dragon2024!",
            "1q2w3e4r",
            "iloveyou1",
            "abc12345",
            "letmein01",
            "friend of joan",
            "pass word 1",
        ] {
            assert!(is_guessable(password, &[]), "{password}");
        }
    }

    #[test]
    fn other_passwords_are_not() {
        for password in [
            "correct horse 1",
            "pass-word-1",
            "dragon202412",
            "xdragon1",
            "d8Fq-2mLx",
            "пароль-и-a1",
            "",
            "password of mine 1",
        ] {
            assert!(!is_guessable(password, &["Shop"]), "{password}");
        }
    }

    #[test]
    fn names_of_app_and_person_are_refused() {
        let names = ["Corner Shop", "mia.meyer", "mia.meyer@example.com"];
        for password in ["Corner Shop 1", "cornershop2024", "C0rnerShop", "Mia.Meyer1", "mia.meyer@example.com1"] {
            assert!(is_guessable(password, &names), "{password}");
        }
        for password in ["corner1234567", "mia.meyer.123456", "my corner shop 1"] {
            assert!(!is_guessable(password, &names), "{password}");
        }
    }
}
