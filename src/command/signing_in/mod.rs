//! What the backend SDKs decide between a browser's sign-in and the core: which factors may begin it, and whose
//! verified addresses count (protocol: 21, 1).

mod first_factor;
mod reset;
mod verification;

pub use first_factor::first_factors;
pub use reset::{ResetTarget, find_reset_target};
pub use verification::{adopt_verification, confirm_address, confirm_by_code};
