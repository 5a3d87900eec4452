//! What the endpoints of this recipe share.

use crate::context::Context;
use crate::domain::ids::PUBLIC;
use crate::http::cdi::access::Credential;
use crate::http::cdi::call::Call;

/// The request comes from its app's public tenant.
pub(super) fn from_public_tenant(call: &Call) -> bool {
    call.tenant.is_public()
}

/// The request comes from its domain's public app and tenant.
pub(super) fn from_public_app(call: &Call) -> bool {
    from_public_tenant(call) && call.app.id.app_id == PUBLIC
}

/// The request comes from the base domain's public app and tenant.
pub(super) fn from_base(call: &Call) -> bool {
    from_public_app(call) && call.app.id.connection_uri_domain.is_empty()
}

/// Protected settings are out of reach of ordinary keys once there is a secret above them.
pub(in crate::http::cdi) fn may_touch_protected(context: &Context, call: &Call) -> bool {
    context.directory.base().saas_secret.is_none() || call.credential == Credential::SaasSecret
}
