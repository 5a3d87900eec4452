//! HTTP: `server` owns sockets and limits (the only file that names warp), `tls` the handshake; `exchange` has the types that everything
//! below uses.

pub mod accept;
mod body;
pub mod cdi;
pub mod client_address;
pub mod codes;
pub mod connection;
pub mod error;
pub mod exchange;
pub mod fdi;
pub mod gate;
pub mod host;
pub mod ip_rules;
pub mod server;
pub mod tls;
