//! Base32 (RFC 4648, 6) as authenticator apps use it.

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// In capitals, without padding.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for five in bytes.chunks(5) {
        let mut padded = [0; 8];
        if let Some(place) = padded.get_mut(3..3 + five.len()) {
            place.copy_from_slice(five);
        }
        let bits = u64::from_be_bytes(padded);
        for digit in 0..(five.len() * 8).div_ceil(5) {
            let index = usize::try_from(bits >> (35 - 5 * digit) & 31).unwrap_or_default();
            text.extend(ALPHABET.get(index).map(|byte| char::from(*byte)));
        }
    }
    text
}

/// The whole bytes in a text; characters outside the alphabet are skipped, and case is ignored.
pub(super) fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut count) = (0_u32, 0);
    for digit in text.bytes().filter_map(digit) {
        bits = bits << 5 | u32::from(digit);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.extend(u8::try_from(bits >> count & 0xFF));
        }
    }
    bytes
}

const fn digit(byte: u8) -> Option<u8> {
    match byte.to_ascii_uppercase() {
        letter @ b'A'..=b'Z' => Some(letter - b'A'),
        digit @ b'2'..=b'7' => Some(digit - b'2' + 26),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_rfc_4648() {
        for (plain, text) in [
            ("", ""),
            ("f", "MY======"),
            ("fo", "MZXQ===="),
            ("foo", "MZXW6==="),
            ("foob", "MZXW6YQ="),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI======"),
        ] {
            assert_eq!(encode(plain.as_bytes()), text.trim_end_matches('='));
            assert_eq!(decode(text), plain.as_bytes());
        }
    }

    #[test]
    fn text_is_read_as_people_copy_it() {
        assert_eq!(decode("mzxw 6ytb-oi"), b"foobar");
        assert_eq!(decode("M"), b"");
        assert_eq!(decode("018 9üé"), b"");
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all)), all);
    }
}
