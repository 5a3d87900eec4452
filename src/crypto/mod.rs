//! Signing, sealing, hashing. Works with keys and bytes, not with requests or records.

pub mod access_token;
pub mod certificate;
pub mod core_key;
pub mod link_code;
pub mod password;
pub mod refresh_token;
pub mod sealing;
pub mod signature;
pub mod signed_token;
pub mod v2_refresh_token;
pub mod webhook;
