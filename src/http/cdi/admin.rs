//! What test set-ups and dashboards ask of a core: licence and telemetry. Every feature is on and nothing is sent.

use crate::app::App;
use crate::http::cdi::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use crate::http::route::Route;
use crate::route;
use serde::Serialize;

/// Routes of this part.
pub const ROUTES: &[Route] = &[
    route!(PUT "/ee/license", AppStrict403 => set_licence),
    route!(GET "/ee/license", AppStrict403 => licence),
    route!(DELETE "/ee/license", AppStrict403 => remove_licence),
    route!(GET "/telemetry", AppStrict403 => telemetry),
];

/// A licence key is accepted and not kept: it would unlock nothing.
async fn set_licence(_app: &App, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    body.optional_string("licenseKey")?;
    if !body.has("licenseKey") && !body.is_empty() {
        return Err(ApiError::bad_request("Field name 'licenseKey' is missing in JSON input"));
    }
    call.scope()?;
    Ok(Reply::status("OK"))
}

async fn licence(_app: &App, call: &Call) -> Result<Reply, ApiError> {
    call.scope()?;
    Ok(Reply::status("NO_LICENSE_KEY_FOUND_ERROR"))
}

async fn remove_licence(_app: &App, call: &Call) -> Result<Reply, ApiError> {
    call.scope()?;
    Ok(Reply::status("OK"))
}

/// No telemetry id exists: there is no telemetry.
async fn telemetry(_app: &App, call: &Call) -> Result<Reply, ApiError> {
    #[derive(Serialize)]
    struct TelemetryBody {
        exists: bool,
    }
    call.scope()?;
    Ok(Reply::json(&TelemetryBody { exists: false }))
}
