//! The user roles recipe's operations (CDI: user roles).

pub mod assign;
pub mod read;
pub mod removal;
pub mod role;

use crate::fault::Fault;
use crate::store::StoreError;

/// The app has no role of the given name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownRole;

fn reading(error: StoreError) -> Fault {
    Fault::new("reading roles", error)
}

fn writing(error: StoreError) -> Fault {
    Fault::new("writing roles", error)
}
