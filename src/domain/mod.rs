//! Types, states and rules. Pure and synchronous: `now` and fresh random bytes are arguments.

pub mod audit;
pub mod clock_watch;
pub mod dashboard;
pub mod entropy;
pub mod ids;
pub mod import;
pub mod json;
pub mod key;
pub mod loopback;
pub mod mail;
pub mod one_time_token;
pub mod origin;
pub mod password;
pub mod passwordless;
pub mod secret;
pub mod session;
pub mod sms;
pub mod tenancy;
pub mod text;
pub mod time;
pub mod token_hash;
pub mod token_series;
pub mod totp;
pub mod user;
pub mod usermetadata;
pub mod userroles;
