//! Code shared by the endpoints of this recipe.

use crate::command::emailverification::Address;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::user::{MAX_EMAIL, normalise_email};
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;

/// `userId` and `email` of a body, the address trimmed and in lower case, in the path's tenant.
pub(super) fn address(call: &Call) -> Result<Address, ApiError> {
    let body = Body::of(&call.request)?;
    let user_id = UserId::new(body.string("userId")?);
    let email = normalise_email(&body.string("email")?);
    require_storable(&email)?;
    Ok(Address { scope: call.scope()?, tenant: call.tenant.clone(), user_id, email })
}

/// The same, for the whole app: a tenant in the path is ignored where it is not refused.
pub(super) fn address_in_app(call: &Call) -> Result<Address, ApiError> {
    Ok(Address { tenant: TenantId::public(), ..address(call)? })
}

/// Checks that an address is short enough to be part of a key.
///
/// # Errors
/// 400 when it is too long.
pub(in crate::http::cdi) fn require_storable(email: &str) -> Result<(), ApiError> {
    if email.len() <= MAX_EMAIL {
        return Ok(());
    }
    Err(ApiError::bad_request(format!("Field name 'email' cannot be longer than {MAX_EMAIL} bytes")))
}
