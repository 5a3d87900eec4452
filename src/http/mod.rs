//! HTTP: `server` owns sockets and limits (the only file that names warp), `exchange` is what everything below sees.

pub mod accept;
pub mod cdi;
pub mod connection;
pub mod error;
pub mod exchange;
pub mod host;
pub mod server;
