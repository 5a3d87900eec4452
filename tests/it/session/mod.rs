//! Session commands over the memory engine: protocol sequences, timelines, the sweep, contention, records at rest.

mod contention;
pub(crate) mod driver;
mod expiry;
mod records;
mod revoke;
mod sequences;
mod timeline;
mod verify;
