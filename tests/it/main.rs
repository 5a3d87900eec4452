//! The integration tests: one binary, because linking is what takes time.

#[cfg(test)]
mod acme;
#[cfg(test)]
mod app;
#[cfg(test)]
mod authority;
#[cfg(test)]
mod cdi;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod config;
#[cfg(test)]
mod contention;
#[cfg(test)]
mod dashboard;
#[cfg(test)]
mod emailpassword;
#[cfg(test)]
mod emailverification;
#[cfg(test)]
mod fdi;
#[cfg(test)]
mod hooks;
#[cfg(test)]
mod interleaved;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod layering;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod model;
#[cfg(test)]
mod move_in;
#[cfg(test)]
mod passwordless;
#[cfg(test)]
mod passwords;
#[cfg(test)]
mod people;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod secrecy;
#[cfg(test)]
mod session;
#[cfg(test)]
mod store;
#[cfg(test)]
mod thirdparty;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod totp;
#[cfg(test)]
mod watched;
