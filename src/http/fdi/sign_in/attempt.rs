//! [`SignInAttempt`]: what somebody signs up or in with.

use crate::command::user::Person;
use crate::domain::user::{AccountInfo, RecipeId};

/// What somebody signs up or in with, before anything of it is carried out.
#[derive(Debug, Clone)]
pub struct SignInAttempt<'a> {
    /// The factors that this may be, of which at least one has to be allowed; a step that needs one names just that.
    pub factors: &'a [&'static str],
    /// The recipe of the login method.
    pub recipe: RecipeId,
    /// Its account infos: address, phone number, or account at a provider with the address that the provider reports.
    pub infos: &'a [AccountInfo],
    /// The person who signs in and their login method; `None` at sign-up.
    pub user: Option<&'a Person>,
    /// Whether somebody else, such as a provider, vouches for the address.
    pub is_verified: bool,
    /// Whether the sign-in itself shows that address or phone number are the person's, as a code sent there does.
    pub verifies: bool,
    /// Whether to answer only: nobody is made primary. For steps before the sign-in, such as sending a code.
    pub only_asks: bool,
}

impl SignInAttempt<'_> {
    /// True at sign-up.
    #[must_use]
    pub const fn is_sign_up(&self) -> bool {
        self.user.is_none()
    }
}
