//! bcrypt, and the handling of passwords that are too long for it.
//!
//! bcrypt uses 72 bytes: those of the password and the NUL after it. A password of 72 bytes or more is therefore hashed
//! with the construction of passlib's `bcrypt_sha256` (version 2): HMAC-SHA-256 under the salt, in base64, then bcrypt.
//! The text has its own prefix for that. A `$2a$` hash of our own is never of such a password, so no longer password
//! matches it; an imported hash may be.

use super::common::{BASE64_BCRYPT, BASE64_PADDED, SALT_BYTES};
use crate::domain::password::limits::MAX_BCRYPT_COST;
use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The number of bytes that bcrypt uses.
const WINDOW: usize = 72;
/// The number of bytes of a hash that are kept; bcrypt makes 24.
const HASH_BYTES: usize = 23;
const SALT_CHARS: usize = 22;
const HASH_CHARS: usize = 31;
/// The costs accepted in new and existing hashes.
const COSTS: std::ops::RangeInclusive<u32> = 4..=MAX_BCRYPT_COST;

const LONG_PREFIX: &str = "$bcrypt-sha256$v=2,t=2b,r=";

/// A bcrypt hash.
#[derive(Clone)]
pub(super) struct BcryptHash {
    layout: Layout,
    cost: u32,
    salt: [u8; SALT_BYTES],
    hash: [u8; HASH_BYTES],
}

#[derive(Clone, Copy)]
enum Layout {
    /// `$2<minor>$`: of the password itself. All minors are computed alike.
    Plain(char),
    /// `$bcrypt-sha256$`: of the digest of a password of 72 bytes or more.
    Long,
}

impl BcryptHash {
    pub(super) fn new(password: &[u8], cost: u32, salt: [u8; SALT_BYTES]) -> Self {
        let cost = within_limits(cost);
        let layout = if is_long(password) { Layout::Long } else { Layout::Plain('a') };
        let hash = compute(layout, password, cost, salt);
        Self { layout, cost, salt, hash }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (layout, cost, rest) = if let Some(rest) = text.strip_prefix(LONG_PREFIX) {
            let (cost, rest) = rest.split_once('$')?;
            let (salt, hash) = rest.split_once('$')?;
            (Layout::Long, cost, (salt, hash))
        } else {
            let rest = text.strip_prefix("$2")?;
            let minor = rest.chars().next().filter(|minor| matches!(minor, 'a' | 'b' | 'x' | 'y'))?;
            let (cost, rest) = rest.get(1..)?.strip_prefix('$')?.split_once('$')?;
            if cost.len() != 2 {
                return None;
            }
            (Layout::Plain(minor), cost, rest.split_at_checked(SALT_CHARS)?)
        };
        let cost = cost.parse().ok().filter(|cost| COSTS.contains(cost))?;
        let (salt, hash) = rest;
        if salt.len() != SALT_CHARS || hash.len() != HASH_CHARS {
            return None;
        }
        let salt = BASE64_BCRYPT.decode(salt).ok()?.try_into().ok()?;
        let hash = BASE64_BCRYPT.decode(hash).ok()?.try_into().ok()?;
        Some(Self { layout, cost, salt, hash })
    }

    pub(super) fn text(&self) -> String {
        let hash = BASE64_BCRYPT.encode(self.hash);
        let (salt, cost) = (salt_text(self.salt), self.cost);
        match self.layout {
            Layout::Plain(minor) => format!("$2{minor}${cost:02}${salt}{hash}"),
            Layout::Long => format!("{LONG_PREFIX}{cost}${salt}${hash}"),
        }
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        compute(self.layout, password, self.cost, self.salt).ct_eq(&self.hash).into()
    }

    /// Whether a new hash of this cost would take the same time.
    pub(super) fn is_made_with(&self, cost: u32) -> bool {
        self.cost == within_limits(cost)
    }

    /// How much of a matching password the hash covers.
    pub(super) const fn knows(&self, password: &[u8]) -> Knows {
        match self.layout {
            Layout::Plain(_) if password.len() > WINDOW => Knows::Start,
            Layout::Plain(_) if password.len() == WINDOW => Knows::PerhapsMore,
            Layout::Plain(_) | Layout::Long => Knows::All,
        }
    }
}

/// How much of a matching password a hash covers.
pub(super) enum Knows {
    /// The whole password.
    All,
    /// The part that bcrypt uses; the password continues after that.
    Start,
    /// The whole of this password. But the hash was imported: the password it was made from may be longer, and must
    /// stay valid.
    PerhapsMore,
}

fn within_limits(cost: u32) -> u32 {
    cost.clamp(*COSTS.start(), *COSTS.end())
}

/// Too long for bcrypt, which needs room for a NUL.
const fn is_long(password: &[u8]) -> bool {
    password.len() >= WINDOW
}

fn salt_text(salt: [u8; SALT_BYTES]) -> String {
    BASE64_BCRYPT.encode(salt)
}

fn compute(layout: Layout, password: &[u8], cost: u32, salt: [u8; SALT_BYTES]) -> [u8; HASH_BYTES] {
    let mut seen = Zeroizing::new(Vec::with_capacity(WINDOW));
    match layout {
        Layout::Plain(_) => seen.extend(password.iter().take(WINDOW)),
        Layout::Long => seen.extend_from_slice(digest(password, salt).as_bytes()),
    }
    if seen.len() < WINDOW {
        seen.push(0);
    }
    let computed = ::bcrypt::bcrypt(cost, salt, &seen);
    std::array::from_fn(|at| computed.get(at).copied().unwrap_or_default())
}

fn digest(password: &[u8], salt: [u8; SALT_BYTES]) -> Zeroizing<String> {
    // invariant: HMAC takes keys of any length
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(salt_text(salt).as_bytes()) else { return Zeroizing::default() };
    mac.update(password);
    Zeroizing::new(BASE64_PADDED.encode(mac.finalize().into_bytes()))
}
