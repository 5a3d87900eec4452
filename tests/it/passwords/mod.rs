//! Hashing passwords, the queue in front of it, and the cost of failed sign-ins.

mod accents;
mod budgets;
mod hashing;
mod pool;
pub(crate) mod timing;
