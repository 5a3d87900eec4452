//! Signing in with a code or a link that was sent to somebody (CDI: passwordless).
//!
//! A *device* is one sign-in under way: made for an e-mail address or a phone number, known by a secret id to who began
//! it and by the hash of that to everybody. It holds *codes*, one per message that was sent; of each the person may type
//! the input code in (on the device that began) or follow the link (anywhere). Both come to the same hash: the link code
//! follows from device id, input code and a secret of the app, so that a device row alone lets nobody find the input code.

mod secrets;

pub use secrets::{CodeId, DeviceHash, DeviceId, LinkCode, LinkCodeHash, random_input_code};

use crate::domain::time::UnixMillis;
use crate::domain::token_series::is_expired;
use crate::domain::user::{AccountInfo, Login};
use serde::{Deserialize, Serialize};

/// To whom codes are sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Contact {
    /// A normalised e-mail address.
    Email(String),
    /// A normalised phone number.
    PhoneNumber(String),
}

impl Contact {
    /// What it is called by, whatever it is.
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

    /// By what a person is recognised who has it.
    #[must_use]
    pub fn info(&self) -> AccountInfo {
        match self {
            Self::Email(email) => AccountInfo::Email(email.clone()),
            Self::PhoneNumber(number) => AccountInfo::PhoneNumber(number.clone()),
        }
    }

    /// With what a person signs in who has nothing else.
    #[must_use]
    pub fn login(&self) -> Login {
        Login::Passwordless {
            email: self.email().map(str::to_owned),
            phone_number: self.phone_number().map(str::to_owned),
        }
    }

    /// Every contact of a login method of this recipe; none of another.
    #[must_use]
    pub fn all_of(login: &Login) -> Vec<Self> {
        let Login::Passwordless { email, phone_number } = login else { return Vec::new() };
        let (email, number) = (email.clone().map(Self::Email), phone_number.clone().map(Self::PhoneNumber));
        email.into_iter().chain(number).collect()
    }
}

/// A sign-in under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// To whom its codes were sent.
    pub contact: Contact,
    /// Wrong or late input codes so far.
    pub failed_attempts: u64,
    /// At least one; in the order in which they were made.
    pub codes: Vec<Code>,
}

/// A code that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Its public name.
    pub id: CodeId,
    /// What the right input code and the right link lead to.
    pub link_code: LinkCodeHash,
    /// When it was made.
    pub created: UnixMillis,
}

/// A tenant's rules. How long a code lives is asked when it is used, not when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeRules {
    /// How long a code is good, in ms, its last millisecond included.
    pub lifetime_ms: u64,
    /// The attempt of this number may not fail.
    pub attempts_max: u64,
}

impl CodeRules {
    /// Whether a code's time is over.
    #[must_use]
    pub fn are_over_for(&self, code: &Code, now: UnixMillis) -> bool {
        is_expired(code.created.plus(self.lifetime_ms), now)
    }
}

/// What a presented code is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Right and in time.
    Right,
    /// A wrong or late input code that counts; the device lives on.
    Failed {
        /// Attempts that have failed by now.
        failed_attempts: u64,
        /// It was right once.
        expired: bool,
    },
    /// No attempt is left: the device goes.
    UsedUp,
    /// A link that is not good, or not any more. Nobody guesses links, so nothing is counted.
    DeadLink,
}

/// Codes a device keeps in any case: with more than that, those go that are over.
const CODES_KEPT: usize = 64;

impl Device {
    /// The code that leads to this, if the device has it. Takes the same time wherever a difference is.
    #[must_use]
    pub fn code(&self, link_code: &LinkCodeHash) -> Option<&Code> {
        self.codes.iter().find(|code| code.link_code.matches(link_code))
    }

    /// Judges an input code by what it leads to.
    #[must_use]
    pub fn judge_input(&self, presented: &LinkCodeHash, rules: CodeRules, now: UnixMillis) -> Verdict {
        if self.failed_attempts >= rules.attempts_max {
            // The setting was lowered meanwhile.
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

    /// Adds a code that the device does not have yet; false, and nothing changes, when it has it.
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

    /// Whether no code of it can be good any more.
    #[must_use]
    pub fn is_expired(&self, rules: CodeRules, now: UnixMillis) -> bool {
        self.codes.iter().all(|code| rules.are_over_for(code, now))
    }
}

#[cfg(test)]
mod tests;
