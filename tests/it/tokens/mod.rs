//! Access, refresh and custom tokens: layouts, vectors, attacks.

mod attacks;
mod custom;
pub(crate) mod fixed;
mod layout;
mod refresh;
mod v2;
mod vectors;
mod verified;
