//! Where a SuperTokens core's data comes from when it is moved in: dumps of its PostgreSQL database.
//!
//! [`source`] opens a dump of any form, [`dump`] reads it row by row, [`row`] gives access to a row's columns, and
//! [`schema`] tells which tables of the dump belong to a core and which release made them. Nothing here knows the store;
//! `command/move_in/` does the writing. A dump is read several times: it is checked to its end before anything is
//! written.

pub mod dump;
pub mod row;
pub mod schema;
pub mod source;
