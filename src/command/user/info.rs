//! [`UserInfo`]: a user with what other recipes know about it.

use crate::domain::ids::{AppId, UserId};
use crate::domain::user::User;
use crate::store::user::{Row, verified};
use crate::store::{StoreError, Tx};

/// A user as replies show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserInfo {
    /// The user.
    pub user: User,
    /// For each of its login methods, in order: whether its e-mail address or phone number is verified.
    pub verified: Vec<bool>,
}

impl UserInfo {
    /// Adds what the store knows about the user's login methods.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn load(tx: &mut dyn Tx, app: &AppId, user: User) -> Result<Self, StoreError> {
        let verified = verified::of_user(tx, app, &user).await?;
        Ok(Self { user, verified })
    }

    /// The same from a row that includes this information.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of_row(tx: &mut dyn Tx, app: &AppId, row: Row) -> Result<Self, StoreError> {
        let (user, verified) = verified::of_row(tx, app, row).await?;
        Ok(Self { user, verified })
    }

    /// Whether the address or phone number of a login method is verified, given by the id that callers see; `None`
    /// without such a login method.
    #[must_use]
    pub fn is_verified(&self, shown: &UserId) -> Option<bool> {
        let mut methods = self.user.methods.iter().zip(&self.verified);
        methods.find(|(method, _)| method.shown_id() == shown).map(|(_, verified)| *verified)
    }
}
