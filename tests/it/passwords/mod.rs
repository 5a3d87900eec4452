//! Hashing passwords, the queue before it, and what failed sign-ins cost.

mod accents;
mod budgets;
mod hashing;
mod pool;
pub(crate) mod timing;
