//! Key rings: making, rotating, revoking, sealing at rest.

mod faults;
mod manage;
mod records;
mod ring;
mod rsa;
mod schedule;
mod vault;
pub(crate) mod world;
