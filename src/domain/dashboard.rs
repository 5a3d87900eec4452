//! Who may open the dashboard: rules for their addresses and passwords, and how long they stay signed in.
//!
//! Dashboard users are operators of an app. They have nothing to do with the app's users.

use crate::domain::password::composed;

/// How long a dashboard session lasts, in ms: 30 days, regardless of activity.
pub const SESSION_LIFETIME_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// Minimum number of characters in a password.
const MIN_PASSWORD: usize = 8;
/// A password must have fewer UTF-16 units than this.
const PASSWORD_END: usize = 100;

/// Whether a normalised text passes as an e-mail address: the host ends in a dot and at least two letters, and has only
/// letters, digits, hyphens and dots. The part before it is not restricted, as in the original.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let Some((labels, last)) = host.rsplit_once('.') else { return false };
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_last = last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_alphabetic());
    !local.is_empty() && is_last && labels.split('.').all(is_label)
}

/// What is wrong with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeakPassword {
    /// Fewer than 8 characters.
    TooShort,
    /// 100 characters or more.
    TooLong,
    /// No letter from a to z, in either case.
    NoLetter,
    /// No digit.
    NoDigit,
}

impl WeakPassword {
    /// The sentence to show to the person.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::TooShort => "Password must contain at least 8 characters, including a number",
            Self::TooLong => "Password's length must be lesser than 100 characters",
            Self::NoLetter => "Password must contain at least one alphabet",
            Self::NoDigit => "Password must contain at least one number",
        }
    }
}

/// Checks whether a password is good enough, in its composed form, which is what is hashed.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_password(password: &str) -> Result<(), WeakPassword> {
    let composed = composed(password);
    let password = composed.as_ref().map_or(password, |composed| composed.expose());
    let length = password.encode_utf16().count();
    if length < MIN_PASSWORD {
        return Err(WeakPassword::TooShort);
    }
    if length >= PASSWORD_END {
        return Err(WeakPassword::TooLong);
    }
    if !password.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return Err(WeakPassword::NoLetter);
    }
    if !password.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(WeakPassword::NoDigit);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_ends_in_a_host_with_a_name_of_letters() {
        for good in ["a@x.io", "a b@x.io", "a@b@x-1.co.uk", "é@x.io"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "a", "a@x", "a@x.y", "@x.io", "a@.io", "a@x..io", "a@x.i0", "a@x.io.", "a@x_y.io", "x.io"] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn the_first_broken_rule_is_named() {
        for (password, verdict) in [
            ("", Err(WeakPassword::TooShort)),
            ("abcde12", Err(WeakPassword::TooShort)),
            ("abcdef12", Ok(())),
            ("12345678", Err(WeakPassword::NoLetter)),
            ("éééééé12", Err(WeakPassword::NoLetter)),
            ("abcdefgh", Err(WeakPassword::NoDigit)),
        ] {
            assert_eq!(check_password(password), verdict, "{password}");
        }
        let long = format!("a1{}", "x".repeat(97));
        assert_eq!(check_password(&long), Ok(()));
        assert_eq!(check_password(&format!("{long}x")), Err(WeakPassword::TooLong));
    }
}
