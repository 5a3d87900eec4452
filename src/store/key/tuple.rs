//! A key's tuple: building and parsing it.

use super::Keyspace;
use crate::domain::ids::{AppId, TenantId, UserId, canonical_uuid};
use crate::domain::token_hash::hex;
use sha2::{Digest, Sha256};
use std::fmt;
use uuid::Uuid;

/// A key: a keyspace and an encoded tuple. Byte order is tuple order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The kind of record.
    pub keyspace: Keyspace,
    /// The encoded tuple; build it with [`Key::text`] and [`Key::raw`].
    pub bytes: Vec<u8>,
}

/// Longest text that [`Key::bounded_text`] stores in a key unchanged; longer ones are hashed.
const MAX_TEXT: usize = 256;
/// Prefix of the hash that replaces a long text. Texts that begin with it are hashed too, so that no two texts share a
/// key.
const HASHED: &str = "sha256:";

/// Bytes reserved for a tuple: in most cases domain, app, tenant or user, and a UUID fit.
const USUAL_LENGTH: usize = 96;

/// Ends a text part. Zero bytes inside text are escaped, so no text contains it.
const TERMINATOR: [u8; 2] = [0, 0];
/// Encodes one zero byte inside text.
const ESCAPED_ZERO: [u8; 2] = [0, 0xFF];

/// First byte of an id of [`Key::internal_id`] that is a UUID, stored as 16 bytes.
const UUID: u8 = 0;
/// First byte of an id that is any other text.
const TEXT: u8 = 1;

impl Key {
    /// The empty tuple of a keyspace: its first key, and the prefix of all others.
    #[must_use]
    pub const fn of(keyspace: Keyspace) -> Self {
        Self { keyspace, bytes: Vec::new() }
    }

    /// Appends a text part of any length and content.
    #[must_use]
    pub fn text(mut self, part: &str) -> Self {
        self = self.text_prefix(part);
        self.bytes.extend_from_slice(&TERMINATOR);
        self
    }

    /// Appends the beginning of a text part: the prefix of every key whose part begins with this text.
    #[must_use]
    pub fn text_prefix(mut self, part: &str) -> Self {
        if self.bytes.capacity() == 0 {
            self.bytes.reserve(USUAL_LENGTH);
        }
        let mut pieces = part.as_bytes().split(|byte| *byte == 0);
        self.bytes.extend_from_slice(pieces.next().unwrap_or_default());
        for piece in pieces {
            self.bytes.extend_from_slice(&ESCAPED_ZERO);
            self.bytes.extend_from_slice(piece);
        }
        self
    }

    /// The prefix of all keys of an app, in a keyspace whose keys begin with domain and app.
    #[must_use]
    pub fn of_app(keyspace: Keyspace, app: &AppId) -> Self {
        Self::of(keyspace).text(&app.connection_uri_domain).text(&app.app_id)
    }

    /// The prefix of all keys of a tenant, in a keyspace whose keys begin with domain, app and tenant.
    #[must_use]
    pub fn of_tenant(keyspace: Keyspace, app: &AppId, tenant: &TenantId) -> Self {
        Self::of_app(keyspace, app).text(tenant.as_str())
    }

    /// Appends a user's id; see [`Key::bounded_text`].
    #[must_use]
    pub fn user(self, user: &UserId) -> Self {
        self.bounded_text(user.as_str())
    }

    /// Appends an internal id, which is a UUID, in less than half the length of its text: in a large index every byte
    /// of a key counts. Any other text is stored unchanged, after all UUIDs. UUIDs sort like their texts.
    #[must_use]
    pub fn internal_id(self, id: &UserId) -> Self {
        match canonical_uuid(id.as_str()) {
            Some(uuid) => self.raw(&[UUID]).raw(uuid.as_bytes()),
            None => self.raw(&[TEXT]).text(id.as_str()),
        }
    }

    /// Appends a text chosen by callers. One longer than 256 bytes is hashed, because keys are limited in length.
    ///
    /// The key then does not contain the text; a record that needs the text has to store it.
    #[must_use]
    pub fn bounded_text(self, text: &str) -> Self {
        if holds(text) {
            return self.text(text);
        }
        let hash = Sha256::digest(text.as_bytes()).into();
        self.text(&format!("{HASHED}{}", hex(&hash)))
    }

    /// True if [`Key::user`] stores the id itself, so that it can be read back from the key.
    #[must_use]
    pub fn holds_user(user: &UserId) -> bool {
        holds(user.as_str())
    }

    /// Appends bytes of a fixed length (a UUID, a big-endian number) unchanged.
    #[must_use]
    pub fn raw(mut self, part: &[u8]) -> Self {
        self.bytes.extend_from_slice(part);
        self
    }

    /// The smallest key above this one.
    #[must_use]
    pub fn successor(&self) -> Self {
        self.clone().raw(&[0])
    }

    /// The first key after all keys that start with this one; `None` if there is none in the keyspace.
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
    text.len() <= MAX_TEXT && !text.starts_with(HASHED)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.keyspace.name(), self.bytes.escape_ascii())
    }
}

/// Parses a key's tuple.
#[derive(Debug, Clone, Copy)]
pub struct KeyReader<'a> {
    rest: &'a [u8],
}

impl<'a> KeyReader<'a> {
    /// Starts at the first part of the key.
    #[must_use]
    pub fn new(key: &'a Key) -> Self {
        Self { rest: &key.bytes }
    }

    /// Starts after the first `bytes` of the key: a prefix that the caller built.
    #[must_use]
    pub fn after(key: &'a Key, bytes: usize) -> Option<Self> {
        key.bytes.get(bytes..).map(|rest| Self { rest })
    }

    /// The next part, written by [`Key::text`]. `None` if what follows is not a text part.
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

    /// The next two parts, written by [`Key::of_app`]. `None` if what follows is not an app.
    pub fn app(&mut self) -> Option<AppId> {
        Some(AppId { connection_uri_domain: self.text()?, app_id: self.text()? })
    }

    /// The next part, written by [`Key::internal_id`]. `None` if what follows is not such a part.
    pub fn internal_id(&mut self) -> Option<UserId> {
        match self.byte()? {
            UUID => {
                let (uuid, rest) = self.rest.split_first_chunk::<16>()?;
                self.rest = rest;
                Some(UserId::new(Uuid::from_bytes(*uuid).hyphenated().to_string()))
            }
            TEXT => self.text().map(UserId::new),
            _ => None,
        }
    }

    /// The next byte, written by [`Key::raw`].
    pub fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    /// Skips the next `count` bytes, written by [`Key::raw`].
    pub fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    /// The rest of the key: the part written by [`Key::raw`].
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_id_comes_back_and_is_short() {
        let ids = [
            "00000000-0000-0000-0000-000000000000",
            "01a22445-0b1f-7009-a8e9-de33f749556a",
            "01a22445-0b1f-700b-9d89-54d99b37875e",
            // Not in our notation, so they are stored as text.
            "01A22445-0B1F-7009-A8E9-DE33F749556A",
            "01a224450b1f7009a8e9de33f749556a",
            "",
            "a\0b",
        ];
        let place = |id: &str| Key::of(Keyspace::UserListing).internal_id(&UserId::new(id));
        for id in ids {
            let key = place(id);
            let mut parts = KeyReader::new(&key);
            assert_eq!(parts.internal_id(), Some(UserId::new(id)));
            assert!(parts.rest().is_empty());
        }
        assert!(ids[..3].iter().all(|id| place(id).bytes.len() == 17));
        assert!(ids[..3].is_sorted_by_key(|id| place(id).bytes), "in the order of their texts");
        let cut = Key { keyspace: Keyspace::UserListing, bytes: place(ids[1]).bytes[..16].to_vec() };
        assert_eq!(KeyReader::new(&cut).internal_id(), None);
    }

    #[test]
    fn no_two_users_share_a_place() {
        let place = |id: &str| Key::of(Keyspace::SessionByUser).user(&UserId::new(id)).bytes;
        let long = "u".repeat(257);
        assert_eq!(place("u"), b"u\0\0");
        assert_eq!(place(&long[1..]).len(), 258, "up to 256 bytes an id is stored in the key unchanged");
        assert_eq!(place(&long).len(), 7 + 64 + 2);
        let stand_in = String::from_utf8(place(&long)[..7 + 64].to_vec()).unwrap();
        assert_ne!(place(&long), place(&stand_in));
        assert_ne!(place(&long), place(&"v".repeat(257)));
    }
}
