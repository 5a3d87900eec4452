//! `/recipe/…`.

mod handshake;
mod jwt;
mod session;
