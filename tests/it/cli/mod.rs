//! The real binary: starting, stopping, controlling it, and its messages when something is wrong.

mod apps;
mod audit;
mod config;
mod control;
mod dashboard;
mod disk;
mod doctor;
#[cfg(target_os = "linux")]
mod file_size;
mod foreign_names;
mod hashing_calibrate;
mod hooks;
mod keys;
mod lifecycle;
mod log_files;
mod mail;
mod maintenance;
mod moving;
mod old_folder;
#[cfg(target_os = "linux")]
mod read_only;
mod reference;
mod refusals;
pub(crate) mod sandbox;
mod secrecy;
mod sessions;
mod tls;
mod users;
