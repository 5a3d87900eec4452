//! Access tokens: minting and verifying JWTs of every layout (protocol 01 §3).

/// The keys that sign and verify an app's tokens at one moment.
pub struct TokenKeys {}
