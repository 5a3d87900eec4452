//! What sessiond sends to others. Nothing is dialled that the operator did not configure.

pub mod mail;
