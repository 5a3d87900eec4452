//! The thirdparty recipe: people with accounts at providers.

mod find;
mod sign_in_up;

use crate::domain::user::ThirdPartyAccount;
use crate::http::cdi::route::Route;
use crate::route;
use std::borrow::Cow;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[
    route!(POST "/recipe/signinup", Tenant => sign_in_up::sign_in_up),
    route!(GET "/recipe/users/by-email", Tenant => find::by_email),
    // Other recipes share this path.
    route!(GET "/recipe/user", App => find::find).rid("thirdparty"),
];

/// An account as the caller names it: in any case, with any blanks.
fn account(id: Cow<'_, str>, user_id: Cow<'_, str>) -> ThirdPartyAccount {
    ThirdPartyAccount { id: id.into_owned(), user_id: user_id.into_owned() }
}
