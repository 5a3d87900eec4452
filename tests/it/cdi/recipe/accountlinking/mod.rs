//! `/recipe/accountlinking…`.

mod link;
mod primary;
mod unlink;
