//! The e-mail verification recipe.

mod mark;
mod token;
mod verify;

use crate::command::emailverification::Address;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::user::{EMAIL_MAX, normalise_email};
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::cdi::route::Route;
use crate::http::error::ApiError;
use crate::route;

/// Routes of this recipe.
pub const ROUTES: &[Route] = &[
    route!(POST "/recipe/user/email/verify/token", Tenant => token::create),
    route!(POST "/recipe/user/email/verify/token/remove", Tenant => token::revoke),
    route!(POST "/recipe/user/email/verify", Tenant => verify::verify),
    route!(GET "/recipe/user/email/verify", AppStrict403 => mark::show),
    route!(POST "/recipe/user/email/verify/remove", AppStrict403 => mark::remove),
];

/// `userId` and `email` of a body, the address trimmed and in lower case; in the path's tenant.
fn address(call: &Call) -> Result<Address, ApiError> {
    let body = Body::of(&call.request)?;
    let user_id = UserId::new(body.string("userId")?);
    let email = normalise_email(&body.string("email")?);
    require_storable(&email)?;
    Ok(Address { scope: call.scope()?, tenant: call.tenant.clone(), user_id, email })
}

/// The same, of the whole app: a tenant in the path means nothing where it is not refused.
fn address_in_app(call: &Call) -> Result<Address, ApiError> {
    Ok(Address { tenant: TenantId::public(), ..address(call)? })
}

/// 400 for an address that is too long for a key.
///
/// # Errors
/// That.
pub(super) fn require_storable(email: &str) -> Result<(), ApiError> {
    if email.len() <= EMAIL_MAX {
        return Ok(());
    }
    Err(ApiError::bad_request(format!("Field name 'email' cannot be longer than {EMAIL_MAX} bytes")))
}
