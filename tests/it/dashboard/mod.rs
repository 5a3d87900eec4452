//! Dashboard users, below HTTP.

mod records;
