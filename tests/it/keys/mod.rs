//! Key rings on the memory engine: making, rotating, revoking, sealing at rest.

mod ring;
pub(crate) mod world;
