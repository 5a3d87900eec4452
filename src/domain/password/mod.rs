//! Passwords: how new ones are hashed, which hashes may be imported, what failed sign-ins cost (CDI: emailpassword).

use crate::table::table;

pub mod budget;
pub mod guessable;

use crate::domain::secret::Secret;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The password in Normalization Form C (UAX 15; NIST SP 800-63B-4, 3.1.1.2), in which an accented letter is the same
/// from every keyboard. `None` if it already is in that form.
#[must_use]
pub fn composed(password: &str) -> Option<Secret<String>> {
    /// The most bytes of UTF-8 that one byte can become (UAX 15, table 7). With enough capacity, no copy is left behind
    /// by growing.
    const MAX_GROWTH: usize = 3;
    if is_nfc(password) {
        return None;
    }
    let mut text = String::with_capacity(MAX_GROWTH * password.len());
    text.extend(password.nfc());
    Some(Secret::new(text))
}

/// Limits on the cost of checking one hash. Beyond them it would take minutes or all memory, so such hashes are neither
/// made nor imported.
pub mod limits {
    /// Highest bcrypt cost: about a minute.
    pub const MAX_BCRYPT_COST: u32 = 20;
    /// Maximum memory of an argon2 hash, in KiB.
    pub const MAX_ARGON2_MEMORY_KIB: u32 = 1 << 20;
    /// Maximum of memory times passes of an argon2 hash, in KiB: some tens of seconds.
    pub const MAX_ARGON2_WORK: u64 = 1 << 25;
    /// Maximum number of lanes of an argon2 hash.
    pub const MAX_ARGON2_PARALLELISM: u32 = 1024;
    /// Maximum memory of a Firebase hash, in bytes; Firebase's own highest cost takes 16 MiB.
    pub const MAX_FIREBASE_MEMORY: u64 = 256 << 20;
}

/// How new passwords are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashParameters {
    /// bcrypt, `$2a$`.
    Bcrypt {
        /// Binary logarithm of the rounds, 4 to 31.
        cost: u32,
    },
    /// Argon2id, 16 bytes of salt, 32 bytes of hash.
    Argon2 {
        /// Passes over the memory.
        iterations: u32,
        /// Memory of one hash in KiB.
        memory_kib: u32,
        /// Number of lanes.
        parallelism: u32,
    },
}

table! {
    /// The families of hashes that can be verified; each has its own limit of concurrent hashes.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum HashFamily {
        /// `$2a$`, `$2b$`, `$2x$`, `$2y$`, and bcrypt of a shortened long password.
        Bcrypt, "BCRYPT";
        /// `$argon2id$`, `$argon2i$`, `$argon2d$`.
        Argon2, "ARGON2";
        /// `$f_scrypt$`: Firebase's variant of scrypt.
        FirebaseScrypt, "FIREBASE_SCRYPT";
    }
}

impl HashFamily {
    /// The protocol's sentence for a text that should be such a hash but is not.
    #[must_use]
    pub const fn invalid_sentence(self) -> &'static str {
        match self {
            Self::Bcrypt => "Password hash is in invalid BCrypt format",
            Self::Argon2 => "Password hash is in invalid Argon2 format",
            Self::FirebaseScrypt => "Password hash is in invalid Firebase SCrypt format",
        }
    }

    /// The family with this name, in capitals.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }
}

impl HashParameters {
    /// The family of the hashes these parameters make.
    #[must_use]
    pub const fn family(&self) -> HashFamily {
        match self {
            Self::Bcrypt { .. } => HashFamily::Bcrypt,
            Self::Argon2 { .. } => HashFamily::Argon2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_with_accents_are_composed_and_nothing_else_is_changed() {
        for (sent, form) in [
            ("cafe\u{301}", Some("caf\u{e9}")),
            ("Vie\u{302}\u{323}t", Some("Vi\u{1ec7}t")),
            ("\u{1112}\u{1161}\u{11ab}", Some("\u{d55c}")),
            ("\u{212b}", Some("\u{c5}")),
            ("caf\u{e9}", None),
            ("plain, 7 \u{0}", None),
            // Compatibility forms are distinct characters.
            ("\u{fb01}x\u{b2}\u{ff21}", None),
            ("", None),
        ] {
            assert_eq!(composed(sent).as_ref().map(|text| text.expose().as_str()), form, "{sent:?}");
        }
    }

    #[test]
    fn the_longest_form_needs_no_second_allocation() {
        let sent = "\u{1d160}".repeat(1000);
        let text = composed(&sent).unwrap();
        assert!(text.expose().len() > sent.len());
        assert_eq!(text.expose().capacity(), 3 * sent.len());
    }
}
