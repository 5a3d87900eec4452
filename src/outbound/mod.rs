//! Connections that this server opens itself: only to what the operator has configured.

pub mod acme;
pub mod hook;
pub mod http;
pub mod mail;
mod one_line;
pub mod provider;
pub mod sms;
mod webhook;
