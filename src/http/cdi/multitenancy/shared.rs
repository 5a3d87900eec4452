//! Code shared by the endpoints of this recipe.

use crate::context::Context;
use crate::domain::ids::PUBLIC;
use crate::http::cdi::access::Credential;
use crate::http::cdi::call::Call;

/// Whether the request is addressed to its app's public tenant.
pub(super) fn from_public_tenant(call: &Call) -> bool {
    call.tenant.is_public()
}

/// Whether the request is addressed to its domain's public app and tenant.
pub(super) fn from_public_app(call: &Call) -> bool {
    from_public_tenant(call) && call.app.id.app_id == PUBLIC
}

/// Whether the request is addressed to the base domain's public app and tenant.
pub(super) fn from_base(call: &Call) -> bool {
    from_public_app(call) && call.app.id.connection_uri_domain.is_empty()
}

/// Whether the caller may see and change protected settings: ordinary keys may not once a SaaS secret is configured.
pub(in crate::http::cdi) fn may_touch_protected(context: &Context, call: &Call) -> bool {
    context.directory.base().saas_secret.is_none() || call.credential == Credential::SaasSecret
}
