//! `/recipe/…`.

mod handshake;
mod jwt;
mod session;
mod user;
