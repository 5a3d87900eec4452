//! Service endpoints: `/hello`, the root, `/apiversion`, `/config`, and our own `/metrics`.

use crate::command::health::{CheckHealth, Health};
use crate::context::Context;
use crate::domain::ids::AppId;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Query;
use crate::http::cdi::route::Route;
use crate::http::cdi::version::CdiVersion;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use crate::metrics::{CONTENT_TYPE, Snapshot};
use crate::route;
use http::StatusCode;
use serde::Serialize;
use std::path::Path;

/// Routes of this part.
pub const ROUTES: &[Route] = &[
    route!(GET "/hello", App => hello).public().without_version(),
    route!(HEAD "/hello", App => hello).public().without_version(),
    route!(POST "/hello", App => hello).public().without_version(),
    route!(PUT "/hello", App => hello).public().without_version(),
    route!(DELETE "/hello", App => hello).public().without_version(),
    route!(GET "/", App => root).public().without_version(),
    route!(HEAD "/", App => root).public().without_version(),
    route!(POST "/", App => root).public().without_version(),
    route!(PUT "/", App => root).public().without_version(),
    route!(DELETE "/", App => root).public().without_version(),
    route!(GET "/apiversion", AppStrict403 => api_versions).without_version(),
    route!(GET "/config", App => config_path).without_key(),
    route!(GET "/metrics", AppStrict403 => metrics).without_version(),
    route!(HEAD "/metrics", AppStrict403 => metrics).without_version(),
];

/// `/hello`: answers if the process is alive and the store responds.
async fn hello(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let health = CheckHealth { app: &call.app }.run(context).await?;
    let text = match health {
        Health::Good => "Hello",
        Health::RateLimited if context.directory.base().test_mode => "RateLimitedHello",
        Health::RateLimited => "Hello",
    };
    Ok(Reply::text(StatusCode::OK, text))
}

/// The root, which may have a tenant before it. `/anything` looks like a tenant too; it is not found unless that tenant
/// exists.
async fn root(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    if call.app.tenant(&call.tenant).is_none() {
        return Err(ApiError::NotFound);
    }
    hello(context, call).await
}

/// `GET /apiversion`: the versions that the app supports. Its parameters would be telemetry and are not read.
async fn api_versions(_context: &Context, call: &Call) -> Result<Reply, ApiError> {
    #[derive(Serialize)]
    struct Body {
        versions: Vec<&'static str>,
    }
    call.require_public_tenant()?;
    let max = call.app.config.max_cdi_version.as_deref().and_then(CdiVersion::parse).unwrap_or(CdiVersion::LATEST);
    Ok(Reply::json(&Body { versions: CdiVersion::supported_up_to(max).collect() }))
}

/// `GET /config?pid=`: the path of the configuration file, for a caller on this machine that knows the process id; used
/// by the original's command line.
async fn config_path(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    #[derive(Serialize)]
    struct Body<'a> {
        status: &'static str,
        path: &'a Path,
    }
    let is_own = Query::of(&call.request).required("pid")? == std::process::id().to_string();
    if !is_base(call) {
        let sentence = "you can call this only from the base connection uri domain, public app and tenant";
        return Err(ApiError::forbidden(sentence));
    }
    Ok(match &context.directory.base().config_path {
        Some(path) if is_own => Reply::json(&Body { status: "OK", path }),
        // Without a file there is no path to return; the protocol has no third answer.
        _ => Reply::status("NOT_ALLOWED"),
    })
}

fn is_base(call: &Call) -> bool {
    call.app.id == AppId::base() && call.tenant.is_public()
}

/// The figures cover the whole server, so only the base app's keys give access.
async fn metrics(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    if !is_base(call) {
        return Err(ApiError::NotFound);
    }
    let snapshot = Snapshot {
        engine: context.store.stats(),
        verified_hits: context.verified.hits(),
        verified_misses: context.verified.misses(),
        apps: u64::try_from(context.directory.apps().len()).unwrap_or(u64::MAX),
        keys: context.keys.snapshot(context.now()),
        hashing: context.hashing.stats(),
        certificate_expires: context.certificates.first_expiry(),
    };
    let body = context.metrics.text(&snapshot);
    Ok(Reply { content_type: CONTENT_TYPE, ..Reply::raw_json(body) })
}
