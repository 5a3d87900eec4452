//! The integration tests: one binary, because linking is what takes time.

#[cfg(test)]
mod config;
#[cfg(test)]
mod model;
#[cfg(test)]
mod store;
