//! A key's tuple: building it, and taking it apart.

use super::Keyspace;
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::token_hash::hex;
use sha2::{Digest, Sha256};
use std::fmt;

/// A key: a keyspace and an encoded tuple. Byte order is tuple order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Which kind of record.
    pub keyspace: Keyspace,
    /// The encoded tuple; build it with [`Key::text`] and [`Key::raw`].
    pub bytes: Vec<u8>,
}

/// Longest text of [`Key::bounded_text`] that stands in a key as it is; longer ones are hashed.
const TEXT_MAX: usize = 256;
/// How the stand-in of a long text begins. Texts that begin so themselves are hashed too: no two share a place.
const HASHED: &str = "sha256:";

/// Ends a text part. Zero bytes inside text are escaped, so no text contains it.
const TERMINATOR: [u8; 2] = [0, 0];
/// Stands for one zero byte inside text.
const ESCAPED_ZERO: [u8; 2] = [0, 0xFF];

impl Key {
    /// The empty tuple of a keyspace: its first key, and the prefix of all.
    #[must_use]
    pub const fn of(keyspace: Keyspace) -> Self {
        Self { keyspace, bytes: Vec::new() }
    }

    /// Appends a text part of any length and content.
    #[must_use]
    pub fn text(mut self, part: &str) -> Self {
        self = self.text_prefix(part);
        self.bytes.extend(TERMINATOR);
        self
    }

    /// Appends the beginning of a text part: the prefix of every key whose part there begins with this text.
    #[must_use]
    pub fn text_prefix(mut self, part: &str) -> Self {
        for byte in part.bytes() {
            if byte == 0 {
                self.bytes.extend(ESCAPED_ZERO);
            } else {
                self.bytes.push(byte);
            }
        }
        self
    }

    /// All keys of an app, in a keyspace whose keys begin with domain and app.
    #[must_use]
    pub fn of_app(keyspace: Keyspace, app: &AppId) -> Self {
        Self::of(keyspace).text(&app.connection_uri_domain).text(&app.app_id)
    }

    /// All keys of a tenant, in a keyspace whose keys begin with domain, app and tenant.
    #[must_use]
    pub fn of_tenant(keyspace: Keyspace, app: &AppId, tenant: &TenantId) -> Self {
        Self::of_app(keyspace, app).text(tenant.as_str())
    }

    /// Appends a user's id; see [`Key::bounded_text`].
    #[must_use]
    pub fn user(self, user: &UserId) -> Self {
        self.bounded_text(user.as_str())
    }

    /// Appends a text that callers choose. One above 256 bytes is hashed: a key has bounds.
    ///
    /// What stands in the key then is not the text; a record that has to know it holds it.
    #[must_use]
    pub fn bounded_text(self, text: &str) -> Self {
        if holds(text) {
            return self.text(text);
        }
        let hash = Sha256::digest(text.as_bytes()).into();
        self.text(&format!("{HASHED}{}", hex(&hash)))
    }

    /// True when [`Key::user`] keeps the id itself, so that it can be read back from the key.
    #[must_use]
    pub fn holds_user(user: &UserId) -> bool {
        holds(user.as_str())
    }

    /// Appends bytes of a fixed length (a UUID, a big-endian number), as they are.
    #[must_use]
    pub fn raw(mut self, part: &[u8]) -> Self {
        self.bytes.extend_from_slice(part);
        self
    }

    /// The first key after every key that starts with this one; `None` when there is none in the keyspace.
    #[must_use]
    pub fn prefix_end(&self) -> Option<Self> {
        let mut bytes = self.bytes.clone();
        while let Some(last) = bytes.pop() {
            if last < 0xFF {
                bytes.push(last + 1);
                return Some(Self { keyspace: self.keyspace, bytes });
            }
        }
        None
    }
}

fn holds(text: &str) -> bool {
    text.len() <= TEXT_MAX && !text.starts_with(HASHED)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.keyspace.name(), self.bytes.escape_ascii())
    }
}

/// Takes a key's tuple apart again.
#[derive(Debug, Clone, Copy)]
pub struct KeyReader<'a> {
    rest: &'a [u8],
}

impl<'a> KeyReader<'a> {
    /// Starts at the key's first part.
    #[must_use]
    pub fn new(key: &'a Key) -> Self {
        Self { rest: &key.bytes }
    }

    /// Starts after the first `bytes` of the key: a prefix that the caller built.
    #[must_use]
    pub fn after(key: &'a Key, bytes: usize) -> Option<Self> {
        key.bytes.get(bytes..).map(|rest| Self { rest })
    }

    /// The next part, written by [`Key::text`]. `None` when what follows is no text part.
    pub fn text(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        loop {
            match *self.rest {
                [0, 0, ref rest @ ..] => {
                    self.rest = rest;
                    return String::from_utf8(bytes).ok();
                }
                [0, 0xFF, ref rest @ ..] => {
                    bytes.push(0);
                    self.rest = rest;
                }
                [0, ..] | [] => return None,
                [byte, ref rest @ ..] => {
                    bytes.push(byte);
                    self.rest = rest;
                }
            }
        }
    }

    /// The next byte, written by [`Key::raw`].
    pub fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    /// Leaves out the next `count` bytes, written by [`Key::raw`].
    pub fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    /// What is left: the part written by [`Key::raw`].
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_users_share_a_place() {
        let place = |id: &str| Key::of(Keyspace::SessionByUser).user(&UserId::new(id)).bytes;
        let long = "u".repeat(257);
        assert_eq!(place("u"), b"u\0\0");
        assert_eq!(place(&long[1..]).len(), 258, "up to 256 bytes an id stands in the key as it is");
        assert_eq!(place(&long).len(), 7 + 64 + 2);
        let stand_in = String::from_utf8(place(&long)[..7 + 64].to_vec()).unwrap();
        assert_ne!(place(&long), place(&stand_in));
        assert_ne!(place(&long), place(&"v".repeat(257)));
    }
}
