//! Sign-in with accounts at third parties: how providers are described, and what to ask them and to believe.

pub mod apple;
pub mod authorization;
pub mod catalogue;
pub mod config;
pub mod discovery;
pub mod exchange;
pub mod id_token;
pub mod profile;
pub mod provider;
pub mod read;
pub mod request;
