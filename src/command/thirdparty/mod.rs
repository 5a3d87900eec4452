//! The thirdparty recipe's operations. Those of CDI contact no provider, because the caller has done that; those of the
//! front door do.

pub mod authorisation_url;
mod conversation;
pub mod find;
pub mod provider_sign_in;
pub mod providers;
pub mod refusal;
pub mod sign_in_up;

use crate::fault::Fault;
use crate::store::StoreError;

fn reading(error: StoreError) -> Fault {
    Fault::new("reading users", error)
}

fn writing(error: StoreError) -> Fault {
    Fault::new("writing a user", error)
}
