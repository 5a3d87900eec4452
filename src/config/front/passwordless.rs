//! How people sign in without a password: where codes are sent, and whether as links.

use crate::config::values::Values;

/// How people sign in without a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passwordless {
    /// Where codes may be sent.
    pub contact: ContactMethod,
    /// What is sent.
    pub flow: FlowType,
}

/// Where codes may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactMethod {
    /// To e-mail addresses.
    Email,
    /// To phones.
    Phone,
    /// To either.
    EmailOrPhone,
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowType {
    /// A code to type in.
    UserInputCode,
    /// A link to follow.
    MagicLink,
    /// Both.
    UserInputCodeAndMagicLink,
}

impl ContactMethod {
    /// True if e-mail addresses may be used.
    #[must_use]
    pub const fn has_email(self) -> bool {
        matches!(self, Self::Email | Self::EmailOrPhone)
    }

    /// True if phone numbers may be used.
    #[must_use]
    pub const fn has_phone(self) -> bool {
        matches!(self, Self::Phone | Self::EmailOrPhone)
    }
}

impl FlowType {
    /// The flow in which these factors are offered, at least one.
    #[must_use]
    pub fn of(factors: &[&str]) -> Self {
        if factors.iter().all(|factor| factor.starts_with("link")) {
            Self::MagicLink
        } else if factors.iter().all(|factor| factor.starts_with("otp")) {
            Self::UserInputCode
        } else {
            Self::UserInputCodeAndMagicLink
        }
    }

    /// The name in settings and replies.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UserInputCode => "USER_INPUT_CODE",
            Self::MagicLink => "MAGIC_LINK",
            Self::UserInputCodeAndMagicLink => "USER_INPUT_CODE_AND_MAGIC_LINK",
        }
    }

    /// True if a code to type in is sent.
    #[must_use]
    pub const fn has_code(self) -> bool {
        matches!(self, Self::UserInputCode | Self::UserInputCodeAndMagicLink)
    }

    /// True if a link is sent.
    #[must_use]
    pub const fn has_link(self) -> bool {
        matches!(self, Self::MagicLink | Self::UserInputCodeAndMagicLink)
    }
}

impl Passwordless {
    pub(super) fn read(values: &Values) -> Self {
        let is_contact = |name| values.is("passwordless_contact_method", name);
        let is_flow = |name| values.is("passwordless_flow_type", name);
        Self {
            contact: match () {
                () if is_contact("PHONE") => ContactMethod::Phone,
                () if is_contact("EMAIL_OR_PHONE") => ContactMethod::EmailOrPhone,
                () => ContactMethod::Email,
            },
            flow: match () {
                () if is_flow("USER_INPUT_CODE") => FlowType::UserInputCode,
                () if is_flow("MAGIC_LINK") => FlowType::MagicLink,
                () => FlowType::UserInputCodeAndMagicLink,
            },
        }
    }

    /// The factors that it offers.
    #[must_use]
    pub fn factors(self) -> Vec<&'static str> {
        let Self { contact, flow } = self;
        let factors = [
            ("otp-email", flow.has_code() && contact.has_email()),
            ("otp-phone", flow.has_code() && contact.has_phone()),
            ("link-email", flow.has_link() && contact.has_email()),
            ("link-phone", flow.has_link() && contact.has_phone()),
        ];
        factors.into_iter().filter(|(_, is_offered)| *is_offered).map(|(factor, _)| factor).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factors_follow_from_both_settings_and_the_flow_from_them() {
        for (contact, kinds) in [
            (ContactMethod::Email, vec!["email"]),
            (ContactMethod::Phone, vec!["phone"]),
            (ContactMethod::EmailOrPhone, vec!["email", "phone"]),
        ] {
            for (flow, ways) in [
                (FlowType::UserInputCode, vec!["otp"]),
                (FlowType::MagicLink, vec!["link"]),
                (FlowType::UserInputCodeAndMagicLink, vec!["otp", "link"]),
            ] {
                let factors = Passwordless { contact, flow }.factors();
                let expected: Vec<_> =
                    ways.iter().flat_map(|way| kinds.iter().map(move |kind| format!("{way}-{kind}"))).collect();
                assert_eq!(factors, expected);
                assert_eq!(FlowType::of(&factors), flow);
            }
        }
    }
}
