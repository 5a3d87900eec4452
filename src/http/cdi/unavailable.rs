//! Recipes of the protocol that sessiond does not have yet: their routes answer that, in words that SDKs pass on.
//!
//! A 404 would look like a wrong address or an old core.

use crate::context::Context;
use crate::http::cdi::call::Call;
use crate::http::cdi::route::Route;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use crate::route;

/// Routes of these recipes.
pub const ROUTES: &[Route] = &[
    route!(POST "/recipe/webauthn/options/register", Tenant => webauthn),
    route!(POST "/recipe/webauthn/options/signin", Tenant => webauthn),
    route!(GET "/recipe/webauthn/options", Tenant => webauthn),
    route!(DELETE "/recipe/webauthn/options/remove", Tenant => webauthn),
    route!(POST "/recipe/webauthn/signup", Tenant => webauthn),
    route!(POST "/recipe/webauthn/signin", Tenant => webauthn),
    route!(POST "/recipe/webauthn/user/credential/register", Tenant => webauthn),
    route!(GET "/recipe/webauthn/user/credential", Tenant => webauthn),
    route!(GET "/recipe/webauthn/user/credential/list", Tenant => webauthn),
    route!(DELETE "/recipe/webauthn/user/credential/remove", Tenant => webauthn),
    route!(POST "/recipe/webauthn/user/recover/token", Tenant => webauthn),
    route!(GET "/recipe/webauthn/user/recover", Tenant => webauthn),
    route!(POST "/recipe/webauthn/user/recover/token/consume", Tenant => webauthn),
    route!(PUT "/recipe/webauthn/user/email", Tenant => webauthn),
    route!(POST "/recipe/oauth/clients", AppStrict403 => oauth),
    route!(PUT "/recipe/oauth/clients", AppStrict403 => oauth),
    route!(GET "/recipe/oauth/clients", AppStrict403 => oauth),
    route!(GET "/recipe/oauth/clients/list", AppStrict403 => oauth),
    route!(POST "/recipe/oauth/clients/remove", AppStrict403 => oauth),
    route!(POST "/recipe/oauth/auth", AppStrict403 => oauth),
    route!(GET "/recipe/oauth/auth/requests/login", AppStrict403 => oauth),
    route!(PUT "/recipe/oauth/auth/requests/login/accept", AppStrict403 => oauth),
    route!(PUT "/recipe/oauth/auth/requests/login/reject", AppStrict403 => oauth),
    route!(GET "/recipe/oauth/auth/requests/consent", AppStrict403 => oauth),
    route!(PUT "/recipe/oauth/auth/requests/consent/accept", AppStrict403 => oauth),
    route!(PUT "/recipe/oauth/auth/requests/consent/reject", AppStrict403 => oauth),
    route!(POST "/recipe/oauth/token", AppStrict403 => oauth),
    route!(POST "/recipe/oauth/introspect", AppStrict403 => oauth),
    route!(POST "/recipe/oauth/token/revoke", AppStrict403 => oauth),
    route!(POST "/recipe/oauth/tokens/revoke", AppStrict403 => oauth),
    route!(POST "/recipe/oauth/session/revoke", AppStrict403 => oauth),
    route!(GET "/recipe/oauth/sessions/logout", AppStrict403 => oauth),
    route!(PUT "/recipe/oauth/auth/requests/logout/accept", AppStrict403 => oauth),
    route!(PUT "/recipe/oauth/auth/requests/logout/reject", AppStrict403 => oauth),
    route!(PUT "/recipe/saml/clients", Tenant => saml),
    route!(GET "/recipe/saml/clients/list", Tenant => saml),
    route!(POST "/recipe/saml/clients/remove", Tenant => saml),
    route!(POST "/recipe/saml/login", Tenant => saml),
    route!(POST "/recipe/saml/callback", Tenant => saml),
    route!(POST "/recipe/saml/user", Tenant => saml),
    route!(GET "/recipe/saml/legacy/authorize", Tenant => saml),
    route!(POST "/recipe/saml/legacy/callback", Tenant => saml),
    route!(POST "/recipe/saml/legacy/token", Tenant => saml).without_key(),
    route!(GET "/recipe/saml/legacy/userinfo", Tenant => saml).without_key(),
    route!(GET "/.well-known/sp-metadata", Tenant => saml).without_key().without_version(),
];

async fn webauthn(_context: &Context, call: &Call) -> Result<Reply, ApiError> {
    call.scope()?;
    Err(ApiError::NotAvailable { what: "WebAuthn (passkeys)" })
}

async fn oauth(_context: &Context, call: &Call) -> Result<Reply, ApiError> {
    call.scope()?;
    Err(ApiError::NotAvailable { what: "The OAuth2 provider" })
}

async fn saml(_context: &Context, call: &Call) -> Result<Reply, ApiError> {
    call.scope()?;
    Err(ApiError::NotAvailable { what: "SAML" })
}
