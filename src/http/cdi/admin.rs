//! Endpoints for test set-ups and dashboards: licence, telemetry, statistics. Every feature is on and nothing is sent.

use crate::command::activity::CountActiveByDays;
use crate::context::Context;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::cdi::route::Route;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use crate::route;
use serde::Serialize;

/// Routes of this part.
pub const ROUTES: &[Route] = &[
    route!(PUT "/ee/license", AppStrict403 => set_licence),
    route!(GET "/ee/license", AppStrict403 => licence),
    route!(DELETE "/ee/license", AppStrict403 => remove_licence),
    route!(GET "/ee/featureflag", AppStrict403 => features),
    route!(GET "/telemetry", AppStrict403 => telemetry),
    route!(GET "/requests/stats", AppStrict403 => request_stats),
    route!(GET "/migration/mode", App => migration),
    route!(GET "/migration/backfill/progress", App => migration),
];

/// Accepts a licence key without storing it: it would unlock nothing.
async fn set_licence(_context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    body.optional_string("licenseKey")?;
    if !body.has("licenseKey") && !body.is_empty() {
        return Err(ApiError::bad_request("Field name 'licenseKey' is missing in JSON input"));
    }
    call.scope()?;
    Ok(Reply::status("OK"))
}

async fn licence(_context: &Context, call: &Call) -> Result<Reply, ApiError> {
    call.scope()?;
    Ok(Reply::status("NO_LICENSE_KEY_FOUND_ERROR"))
}

async fn remove_licence(_context: &Context, call: &Call) -> Result<Reply, ApiError> {
    call.scope()?;
    Ok(Reply::status("OK"))
}

/// The original's licensed features that exist here: all of these, without a licence.
const FEATURES: [&str; 5] = ["account_linking", "multi_tenancy", "dashboard_login", "mfa", "security"];

/// The enabled features, and how many users were active in the last 1, 2, … 31 days.
async fn features(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct FeaturesBody {
        status: &'static str,
        features: [&'static str; FEATURES.len()],
        usage_stats: UsageBody,
    }
    #[derive(Serialize)]
    struct UsageBody {
        maus: [u64; CountActiveByDays::DAYS],
    }
    let maus = CountActiveByDays(call.scope()?).run(context).await?;
    Ok(Reply::json(&FeaturesBody { status: "OK", features: FEATURES, usage_stats: UsageBody { maus } }))
}

/// Answers that there is no telemetry id: there is no telemetry.
async fn telemetry(_context: &Context, call: &Call) -> Result<Reply, ApiError> {
    #[derive(Serialize)]
    struct TelemetryBody {
        exists: bool,
    }
    call.scope()?;
    Ok(Reply::json(&TelemetryBody { exists: false }))
}

/// The original reports the progress of a migration between two table layouts here. There are none here to migrate.
async fn migration(_context: &Context, call: &Call) -> Result<Reply, ApiError> {
    call.scope()?;
    Ok(Reply::status("FEATURE_NOT_SUPPORTED_ERROR"))
}

/// The app's requests by minute for the last day, without the current minute.
async fn request_stats(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct StatsBody {
        status: &'static str,
        at_minute: u64,
        average_requests_per_second: Vec<f64>,
        peak_requests_per_second: Vec<i64>,
    }
    call.scope()?;
    let now = context.now();
    let rates = call.app.traffic.by_minute(now);
    let peak = |peak| i64::try_from(peak).unwrap_or(i64::MAX);
    Ok(Reply::json(&StatsBody {
        status: "OK",
        at_minute: now.seconds() / 60,
        average_requests_per_second: rates.iter().map(|rate| rate.map_or(-1.0, |(average, _)| average)).collect(),
        peak_requests_per_second: rates.iter().map(|rate| rate.map_or(-1, |(_, highest)| peak(highest))).collect(),
    }))
}
