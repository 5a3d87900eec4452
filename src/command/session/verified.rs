//! Access tokens whose signature has been checked already, by the hash of the whole token.

/// A bounded cache; every hit is still checked for expiry and key state.
pub struct VerifiedTokens {}
