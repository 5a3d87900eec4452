//! Code shared by the endpoints of this recipe.

use crate::domain::ids::SessionHandle;
use crate::http::cdi::call::Call;
use crate::http::error::ApiError;

/// Refuses a handle whose tenant does not exist.
///
/// # Errors
/// 400 as for a tenant in the path.
pub(super) fn require_handle_tenant(call: &Call, handle: &str) -> Result<(), ApiError> {
    let tenant = SessionHandle::tenant_of(handle);
    if call.app.tenant(&tenant).is_some() {
        return Ok(());
    }
    Err(call.no_such_tenant(&tenant))
}
