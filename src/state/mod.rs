//! The state that a running server keeps in memory: types that use the layers below them, but no command and no
//! [`Context`](crate::context::Context).

pub mod bounded_table;
pub mod certificates;
pub mod contention;
pub mod directory;
mod front_hosts;
pub mod health_limits;
pub mod identities;
pub mod key;
pub mod outbox;
pub mod password;
pub mod rate_limits;
pub mod recent_marks;
pub mod recent_sign_ins;
pub mod settled_clock;
pub mod shared_refreshes;
pub mod sightings;
pub mod traffic;
pub mod verified_tokens;
