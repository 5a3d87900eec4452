//! Connections that this server opens itself: only to what the operator has configured.

pub mod mail;
pub mod provider;
