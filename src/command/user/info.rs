//! [`UserInfo`]: a user with what other recipes know about it.

use crate::domain::ids::AppId;
use crate::domain::user::{Login, LoginMethod, User};
use crate::store::{StoreError, Tx, emailverification};

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
async fn is_verified(tx: &mut dyn Tx, app: &AppId, method: &LoginMethod) -> Result<bool, StoreError> {
    let email = match &method.login {
        Login::Passwordless { email: None, .. } => return Ok(true),
        Login::Passwordless { email: Some(email), .. }
        | Login::EmailPassword { email, .. }
        | Login::ThirdParty { email, .. }
        | Login::Webauthn { email, .. } => email,
    };
    let shown = method.external.as_ref().map_or(&method.id, |external| &external.id);
    emailverification::is_verified(tx, app, shown, email).await
}
