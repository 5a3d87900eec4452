//! The control plane: how commands on this machine talk to a running server.
//!
//! A running server listens on a Unix socket in its data folder; anyone who may open that file may command the server,
//! so file permissions are the authentication. Where Unix sockets do not exist, or the folder's path is too long for
//! one, it listens on a loopback TCP port instead, which is recorded together with a random token in a file that only
//! the owner can read. Both carry the same lines of JSON: one [`Request`] per line from the client, then [`Frame`]s
//! until one is final.

mod audit;
pub mod client;
mod dashboard;
pub mod doctor;
pub mod endpoint;
mod hooks;
mod keys;
mod mail;
pub mod operator;
mod path;
mod payload;
mod protocol;
pub mod server;
pub mod started;
pub mod task_context;
pub mod tasks;
mod tenancy;
pub mod upkeep;
mod users;

pub use payload::{NewTenant, OwnSettings, PlainSecret, UserLines, UsersWanted, WantedImport};
pub use protocol::{Frame, Report, Request, Revoke, Task, WorkProgress};
