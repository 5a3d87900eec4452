//! Settings of the front door about accounts: who may have one, with which password, and who may know.

use super::setting::{Default, Kind, Setting, setting};
use Default::Bool;

pub(super) const FRONT_ACCOUNTS: &[Setting] = &[setting(
    "refuse_common_passwords",
    "SESSIOND_REFUSE_COMMON_PASSWORDS",
    Kind::Bool,
    Bool(true),
    "Whether the front door refuses new passwords that are easily guessed: the 20,000 most common ones, the \
         person's address, `app_name`, and trivial variants of them.",
)
.per_app()];
