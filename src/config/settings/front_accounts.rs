//! Settings of the front door about accounts: who may have one, with which password, and who may know of it.

use super::setting::{Default, Kind, Setting, setting};
use Default::{Bool, Null, Text};

pub(super) const FRONT_ACCOUNTS: &[Setting] = &[
    setting(
        "refuse_common_passwords",
        "SESSIOND_REFUSE_COMMON_PASSWORDS",
        Kind::Bool,
        Bool(true),
        "Whether the front door refuses new passwords that are easily guessed: the 20,000 most common ones, the \
         person's address, `app_name`, and trivial variants of them.",
    )
    .per_app(),
    setting(
        "sign_up",
        "SESSIOND_SIGN_UP",
        Kind::Text,
        Text("on"),
        "Whether people may sign up at the front door, whatever the recipe. Whoever has an account signs in all the \
         same, and may add login methods to it.",
    )
    .one_of(&["on", "off"])
    .per_tenant(),
    setting(
        "sign_up_allowed_domains",
        "SESSIOND_SIGN_UP_ALLOWED_DOMAINS",
        Kind::Text,
        Null,
        "Comma-separated domains; only people with an e-mail address of one of them, or of a domain below it, may sign \
         up at the front door. Without it, everybody.",
    )
    .per_tenant(),
    setting(
        "sign_up_blocked_domains",
        "SESSIOND_SIGN_UP_BLOCKED_DOMAINS",
        Kind::Text,
        Null,
        "Comma-separated domains; nobody may sign up at the front door with an e-mail address of one of them, or of a \
         domain below it.",
    )
    .per_tenant(),
    setting(
        "account_exists_api",
        "SESSIOND_ACCOUNT_EXISTS_API",
        Kind::Bool,
        Bool(true),
        "Whether the front door's routes `email/exists` and `phonenumber/exists` say who has an account. If not, they \
         answer that nobody has, and forms learn it when they are sent.",
    )
    .per_app(),
];
