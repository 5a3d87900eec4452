//! The HTTP harness: starts servers, drives them, reads their CPU time, prints the table.

pub(crate) mod codes;
pub(crate) mod floor;
pub(crate) mod front;
pub(crate) mod front_scripts;
pub(crate) mod load;
pub(crate) mod report;
pub(crate) mod rows;
pub(crate) mod scale;
pub(crate) mod scripts;
pub(crate) mod server;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod tenants;
pub(crate) mod users;
pub(crate) mod wire;
