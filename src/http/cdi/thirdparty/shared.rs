//! Code shared by the endpoints of this recipe.

use crate::domain::user::ThirdPartyAccount;
use std::borrow::Cow;

/// The account named by the caller: in any case, with any blanks.
pub(super) fn account(id: Cow<'_, str>, user_id: Cow<'_, str>) -> ThirdPartyAccount {
    ThirdPartyAccount { id: id.into_owned(), user_id: user_id.into_owned() }
}
