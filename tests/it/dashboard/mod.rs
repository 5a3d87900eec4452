//! The dashboard's users beneath the wire.

mod records;
