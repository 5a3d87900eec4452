//! The emailpassword recipe below HTTP: races, tokens at rest, bytes at rest.

mod audit;
mod import;
mod races;
mod records;
mod rehash;
mod stored;
