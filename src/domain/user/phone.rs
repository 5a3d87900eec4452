//! Normalised phone numbers.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};

/// The form in which phone numbers are stored and compared: E.164, if it can be read as a number with a country code;
/// anything else is only trimmed.
///
/// Whether such a number exists is not checked. A national prefix, an extension and letters for digits are understood:
/// `+49 (0)30 123456` is `+4930123456`.
#[must_use]
pub fn normalise_phone_number(number: &str) -> String {
    let number = number.trim();
    match PHONE_NUMBER_UTIL.parse(number, None) {
        Ok(parsed) => PHONE_NUMBER_UTIL.format(&parsed, PhoneNumberFormat::E164).into_owned(),
        Err(_) => number.to_owned(),
    }
}

/// The same, for numbers of people who are to get a message: `None` unless such a number can exist.
#[must_use]
pub fn valid_phone_number(number: &str) -> Option<String> {
    let parsed = PHONE_NUMBER_UTIL.parse(number.trim(), None).ok()?;
    parsed.is_valid().then(|| PHONE_NUMBER_UTIL.format(&parsed, PhoneNumberFormat::E164).into_owned())
}

/// The country that a number in E.164 belongs to, such as `DE`; for numbers of no country, their calling code.
#[must_use]
pub fn country_of(number: &str) -> Option<String> {
    let parsed = PHONE_NUMBER_UTIL.parse(number, None).ok()?;
    Some(match parsed.get_region_code() {
        Some(region) if region != Region::World => region.as_region_str().to_string(),
        _ => format!("+{}", parsed.country_code),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_with_a_country_code_becomes_e164() {
        for (written, expected) in [
            ("+4930123456", "+4930123456"),
            (" +49 30 123-456 ", "+4930123456"),
            ("+49 (0)30 123456", "+4930123456"),
            ("+49.30/123456", "+4930123456"),
            ("＋49 30 123456", "+4930123456"),
            ("tel:+49-30-123456", "+4930123456"),
            ("+4930123456 ext. 5", "+4930123456"),
            ("+1 (202) 555-0123", "+12025550123"),
            ("+1 800 FLOWERS", "+18003569377"),
            ("+39 06 1234 5678", "+390612345678"),
        ] {
            assert_eq!(normalise_phone_number(written), expected, "{written}");
        }
    }

    #[test]
    fn a_number_that_cannot_exist_gets_no_messages() {
        for (written, expected) in [
            ("+4915112345678", Some("+4915112345678")),
            ("+49 1511 2345678", Some("+4915112345678")),
            ("+1 (201) 555-0123", Some("+12015550123")),
            ("+12345", None),
            ("+999123456789", None),
            ("015112345678", None),
            ("", None),
        ] {
            assert_eq!(valid_phone_number(written).as_deref(), expected, "{written}");
        }
    }

    #[test]
    fn countries_that_share_a_calling_code_are_told_apart() {
        for (number, expected) in [
            ("+4915112345678", Some("DE")),
            ("+12015550123", Some("US")),
            ("+18765551234", Some("JM")),
            ("+80012345678", Some("+800")),
            ("+88216123456", Some("+882")),
            ("+999123456789", None),
            ("", None),
        ] {
            assert_eq!(country_of(number).as_deref(), expected, "{number}");
        }
    }

    #[test]
    fn what_is_no_such_number_is_only_trimmed() {
        for written in
            ["", "030 123456", "0049 30 123456", "11", "+49", "+999 12 34", "no number", "+", "+4912345678901234567890"]
        {
            assert_eq!(normalise_phone_number(&format!(" {written} ")), written);
        }
    }

    proptest! {
        /// For any input: the number's digits, or the text without surrounding blanks.
        #[test]
        fn the_form_is_e164_or_the_text(text in "\\PC{0,40}", digits in "\\+[0-9 ()/.-]{0,30}") {
            for written in [text, digits] {
                let form = normalise_phone_number(&written);
                let is_e164 = form.strip_prefix('+').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
                prop_assert!(form == written.trim() || is_e164, "{written:?}: {form:?}");
            }
        }
    }
}
