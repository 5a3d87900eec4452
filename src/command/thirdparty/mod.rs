//! The thirdparty recipe's operations (CDI: thirdparty). Providers are never contacted here: the caller has done that.

pub mod find;
pub mod sign_in_up;

use crate::fault::Fault;
use crate::store::StoreError;

fn reading(error: StoreError) -> Fault {
    Fault::new("reading users", error)
}

fn writing(error: StoreError) -> Fault {
    Fault::new("writing a user", error)
}
