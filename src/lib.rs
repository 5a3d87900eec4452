//! sessiond: a session and sign-in server in one binary.
//!
//! Read the modules in the order of the data flow:
//!
//! 1. [`cli`] parses arguments, [`config`] turns files, environment and flags into settings;
//! 2. [`app`] puts the parts together into a [`context`] over the [`system`]'s clock and entropy; [`state`] is what it
//!    keeps in memory;
//! 3. [`http`] serves sockets and speaks the Core Driver Interface (CDI); it decodes requests into commands;
//! 4. [`command`] has one struct per operation: load, decide, commit;
//! 5. [`domain`] holds types and pure rules: time and random bytes are arguments;
//! 6. [`crypto`] signs, seals and hashes; [`store`] keeps typed records over an ordered key-value transaction;
//!    [`outbound`] sends mail.
//!
//! [`move_in`] reads dumps of other servers. [`outbound`] opens the connections that this server makes itself.
//!
//! `tests/it/layering/` enforces which module may use which.

pub mod app;
pub mod cli;
pub mod command;
pub mod config;
pub mod context;
pub mod control;
pub mod crypto;
pub mod domain;
pub mod fault;
pub mod http;
pub mod jobs;
pub mod lifecycle;
pub mod logs;
pub mod metrics;
pub mod move_in;
pub mod outbound;
pub mod state;
pub mod stop;
pub mod store;
pub mod system;
mod table;
