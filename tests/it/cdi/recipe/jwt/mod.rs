//! `/recipe/jwt…`.

mod create;
mod data;
