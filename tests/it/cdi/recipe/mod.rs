//! `/recipe/…`.

mod accountlinking;
mod dashboard;
mod handshake;
mod jwt;
mod session;
mod signin;
mod signinup;
mod signup;
mod totp;
mod user;
mod userid;
mod usermetadata;
mod userroles;
mod users_by_email;

/// Every version of the protocol, lowest first.
pub(crate) const EVERY_VERSION: [&str; 25] = [
    "2.7", "2.8", "2.9", "2.10", "2.11", "2.12", "2.13", "2.14", "2.15", "2.16", "2.17", "2.18", "2.19", "2.20",
    "2.21", "3.0", "3.1", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6",
];
