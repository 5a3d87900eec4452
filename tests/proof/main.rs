//! Proofs that need the real binary, a real disk and a hard hand: `crash` kills it with `kill -9`, `powercut` takes the
//! disk away from under it, `heal` stops it in the middle of recovery and of every kind of work on a folder.
//!
//! All drive the same load ([`load`]) and hold the same claims ([`ledger`]): every acknowledged write is there, whole;
//! every revoked session stays revoked; a client whose reply was lost by the kill is not logged out. People who sign up and are
//! linked ([`people`]) are there whole, with indexes that tell the same as their rows.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise, and these tell how far they came"
)]

mod bulk_import;
mod codes;
mod crash;
mod heal;
mod http;
mod ledger;
mod load;
mod people;
mod powercut;
mod server;

/// A whole number in an environment variable.
fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// How many rounds a proof shall take instead of its usual number: `SESSIOND_PROOF_ROUNDS`.
fn rounds() -> Option<u64> {
    from_environment("SESSIOND_PROOF_ROUNDS")
}
