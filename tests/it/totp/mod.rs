//! TOTP below HTTP: bytes at rest.

mod records;
