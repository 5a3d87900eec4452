//! One struct per operation: load, decide, commit. CDI, CLI and jobs all build the same commands.

pub mod activity;
pub mod audit;
pub mod bulk_import;
pub mod claims;
pub mod dashboard;
pub mod emailpassword;
pub mod emailverification;
pub mod health;
pub mod hook;
pub mod key;
pub mod move_in;
pub mod outbox;
pub mod passwordless;
pub mod scope;
pub mod session;
pub mod signing_in;
pub mod tenancy;
pub mod thirdparty;
pub mod totp;
pub mod transact;
pub mod user;
pub mod usermetadata;
pub mod userroles;
