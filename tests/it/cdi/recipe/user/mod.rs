//! `/recipe/user/…`.

mod email_verify;
