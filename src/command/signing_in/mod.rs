//! What the backend SDKs decide between a browser's sign-in and the core: which factors may begin it or must follow,
//! which login methods are one person's, and whose verified addresses count (protocol: 21, 1, 3, 4 and 7).

mod factors;
mod first_factor;
mod linking;
mod reset;
mod session_start;
mod users;
mod verification;

pub use factors::{claim_with_requirements, required_second_factors, second_factors_of};
pub use first_factor::first_factors;
pub use linking::{LinkRefused, Linker, SessionUser};
pub use reset::{ResetTarget, ResetUse, find_reset_target, note_reset_for_nobody, use_of_reset};
pub(in crate::command) use session_start::Entry;
pub use session_start::{SessionStart, SignedPerson};
pub use users::person_of;
pub use verification::{adopt_verification, confirm_address, confirm_by_code};
