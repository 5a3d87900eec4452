//! Operators' tasks on keys.

mod manage;
mod reseal;

pub use manage::{ListKeys, ListedKey, RevokeKey, Revoked, RotateKeys, Rotated};
pub use reseal::ResealKeys;
