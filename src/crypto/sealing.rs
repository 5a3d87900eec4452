//! Authenticated encryption of refresh tokens and of stored keys.

/// A key that seals and opens.
pub struct SealingKey {}
