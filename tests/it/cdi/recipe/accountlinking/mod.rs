//! `/recipe/accountlinking…`.

mod link;
mod primary;
mod unlink;

use crate::people::by_provider;
use serde_json::{Value, json};
use sessiond::domain::ids::UserId;
use sessiond::domain::user::LoginMethod;

/// The account at a provider that `of` has, under another id; only one login method has it in each tenant.
fn same_account(of: &str, id: &str, email: &str) -> LoginMethod {
    LoginMethod { id: UserId::new(id), ..by_provider(of, 1, email) }
}

/// Another primary user has an account info of this kind.
fn taken(by: &str, what: &str) -> Value {
    json!({
        "status": "ACCOUNT_INFO_ALREADY_ASSOCIATED_WITH_ANOTHER_PRIMARY_USER_ID_ERROR",
        "primaryUserId": by,
        "description": format!("This user's {what} is already associated with another user ID"),
    })
}
