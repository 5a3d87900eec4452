//! `/recipe/user/…`.

mod email_verify;
mod login;
mod password_reset;
mod passwordhash_import;
mod passwordless;
mod thirdparty;
