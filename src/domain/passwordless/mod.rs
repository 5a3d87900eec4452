//! Signing in with a code or a link that was sent to a person (CDI: passwordless).
//!
//! A *device* is one sign-in in progress, made for an e-mail address or a phone number. The client that began it knows
//! its secret id; everyone else knows it by the hash of that id. It holds *codes*, one per message that was sent. A
//! person may type in a code's input code (on the device that began the sign-in) or follow its link (anywhere). Both
//! lead to the same hash: the link code is derived from the device id, the input code and a secret of the app, so that
//! a device row alone does not reveal the input code.

mod new_code;
mod secrets;

pub use new_code::NewCode;
pub use secrets::{CodeId, DeviceHash, DeviceId, LinkCode, LinkCodeHash, random_input_code};

use crate::domain::time::UnixMillis;
use crate::domain::token_series::is_expired;
use crate::domain::user::{AccountInfo, Login};
use serde::{Deserialize, Serialize};

/// The recipient of codes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Contact {
    /// A normalised e-mail address.
    Email(String),
    /// A normalised phone number.
    PhoneNumber(String),
}

impl Contact {
    /// The address or number as text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Email(text) | Self::PhoneNumber(text) => text,
        }
    }

    /// The address, if it is one.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        match self {
            Self::Email(email) => Some(email),
            Self::PhoneNumber(_) => None,
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn phone_number(&self) -> Option<&str> {
        match self {
            Self::PhoneNumber(number) => Some(number),
            Self::Email(_) => None,
        }
    }

    /// The account info that identifies a person with this contact.
    #[must_use]
    pub fn info(&self) -> AccountInfo {
        match self {
            Self::Email(email) => AccountInfo::Email(email.clone()),
            Self::PhoneNumber(number) => AccountInfo::PhoneNumber(number.clone()),
        }
    }

    /// The login of a person who has no other credentials.
    #[must_use]
    pub fn login(&self) -> Login {
        Login::Passwordless {
            email: self.email().map(str::to_owned),
            phone_number: self.phone_number().map(str::to_owned),
        }
    }

    /// Every contact of a login method of this recipe; empty for other recipes.
    #[must_use]
    pub fn all_of(login: &Login) -> Vec<Self> {
        let Login::Passwordless { email, phone_number } = login else { return Vec::new() };
        let (email, number) = (email.clone().map(Self::Email), phone_number.clone().map(Self::PhoneNumber));
        email.into_iter().chain(number).collect()
    }
}

/// A sign-in in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The recipient of its codes.
    pub contact: Contact,
    /// The number of wrong or late input codes so far.
    pub failed_attempts: u64,
    /// The codes, in the order in which they were made; at least one.
    pub codes: Vec<Code>,
}

/// A code that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Its public name.
    pub id: CodeId,
    /// The hash that the right input code and the right link lead to.
    pub link_code: LinkCodeHash,
    /// When it was made.
    pub created: UnixMillis,
}

/// A tenant's rules. The lifetime of a code is checked when it is used, not fixed when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeRules {
    /// How long a code is valid, in ms, including its last millisecond.
    pub lifetime_ms: u64,
    /// The number of failed attempts that ends the device.
    pub attempts_max: u64,
}

impl CodeRules {
    /// Whether a code has expired.
    #[must_use]
    pub fn are_over_for(&self, code: &Code, now: UnixMillis) -> bool {
        is_expired(code.created.plus(self.lifetime_ms), now)
    }
}

/// The verdict on a presented code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Right, and in time.
    Right,
    /// A wrong or late input code, counted as a failure; the device lives on.
    Failed {
        /// The number of failed attempts, including this one.
        failed_attempts: u64,
        /// Whether it was a right code that has expired.
        expired: bool,
    },
    /// No attempts are left: the device is deleted.
    UsedUp,
    /// A link that is not valid, or no longer. Links cannot be guessed, so this is not counted.
    DeadLink,
}

/// The number of codes a device always keeps; beyond that, expired ones are dropped.
const CODES_KEPT: usize = 64;

impl Device {
    /// The code that leads to this hash, if the device has it. Takes the same time wherever the hashes differ.
    #[must_use]
    pub fn code(&self, link_code: &LinkCodeHash) -> Option<&Code> {
        self.codes.iter().find(|code| code.link_code.matches(link_code))
    }

    /// Judges an input code by the hash it leads to.
    #[must_use]
    pub fn judge_input(&self, presented: &LinkCodeHash, rules: CodeRules, now: UnixMillis) -> Verdict {
        if self.failed_attempts >= rules.attempts_max {
            // The setting has been lowered since.
            return Verdict::UsedUp;
        }
        let code = self.code(presented);
        if code.is_some_and(|code| !rules.are_over_for(code, now)) {
            return Verdict::Right;
        }
        match self.failed_attempts.saturating_add(1) {
            failed if failed >= rules.attempts_max => Verdict::UsedUp,
            failed_attempts => Verdict::Failed { failed_attempts, expired: code.is_some() },
        }
    }

    /// Judges a link.
    #[must_use]
    pub fn judge_link(&self, presented: &LinkCodeHash, rules: CodeRules, now: UnixMillis) -> Verdict {
        match self.code(presented) {
            Some(code) if rules.are_over_for(code, now) => Verdict::DeadLink,
            Some(_) if self.failed_attempts >= rules.attempts_max => Verdict::UsedUp,
            Some(_) => Verdict::Right,
            None => Verdict::DeadLink,
        }
    }

    /// Adds a code. Returns false, and changes nothing, if the device already has it.
    pub fn add(&mut self, new: Code, rules: CodeRules) -> bool {
        if self.code(&new.link_code).is_some() {
            return false;
        }
        if self.codes.len() >= CODES_KEPT {
            self.codes.retain(|code| !rules.are_over_for(code, new.created));
        }
        self.codes.push(new);
        true
    }

    /// Whether none of its codes can be valid any more.
    #[must_use]
    pub fn is_expired(&self, rules: CodeRules, now: UnixMillis) -> bool {
        self.codes.iter().all(|code| rules.are_over_for(code, now))
    }
}

#[cfg(test)]
mod tests;
