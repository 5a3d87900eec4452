//! Proofs that need the real binary, a real disk and brute force: `crash` kills the binary with `kill -9`, `powercut`
//! takes the disk away from under it, `heal` interrupts it during recovery and every kind of work on a folder.
//!
//! All use the same load ([`load`]) and check the same claims ([`ledger`]): every acknowledged write is there,
//! complete; every revoked session stays revoked; a client whose reply was lost by the kill is not logged out. Users
//! who sign up and are linked ([`people`]) are there as a whole, with indexes that match their rows; mails that were
//! promised arrive ([`outbox`]).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise, and these show how far it got"
)]

mod bulk_import;
mod codes;
mod crash;
mod heal;
mod http;
mod ledger;
mod load;
mod outbox;
mod people;
mod powercut;
mod server;
#[expect(dead_code, reason = "the integration tests use more of it")]
#[path = "../it/mail/server.rs"]
mod smtp;

/// An integer in an environment variable.
fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// The number of rounds that a proof runs instead of its usual number: `SESSIOND_PROOF_ROUNDS`.
fn rounds() -> Option<u64> {
    from_environment("SESSIOND_PROOF_ROUNDS")
}
