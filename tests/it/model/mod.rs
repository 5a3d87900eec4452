//! The refresh family: the protocol's tables row by row, and a property test against a naive model.

mod tables;
