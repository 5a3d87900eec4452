//! How the refusals of a sign-in with a provider are answered.

use crate::command::thirdparty::refusal::ProviderRefusal;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;

const FAILED: &str = "Signing in with this provider failed. The server's log says why";

/// 400 for what the request is to blame for, 500 for failures of the provider or of its configuration. What went wrong
/// there is for the operator: it may tell of the network behind.
pub(super) fn error(call: &FrontCall, id: &str, refusal: &ProviderRefusal) -> FrontError {
    if refusal.is_bad_request() {
        return FrontError::bad_request(refusal.to_string());
    }
    tracing::warn!(request = call.request.id, provider = id, "a sign-in with a provider failed: {refusal}");
    FrontError::Misconfigured(FAILED)
}
