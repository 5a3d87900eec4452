//! The storage seam: one conformance suite for every engine, record bytes, and what only the sled engine promises.

mod codec;
mod conformance;
pub(crate) mod golden;
mod tenancy;
