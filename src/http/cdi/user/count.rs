//! `GET /users/count`.

use super::shared::recipes;
use crate::command::user::count::CountUsers;
use crate::context::Context;
use crate::domain::time::UnixMillis;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Query;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CountBody {
    status: &'static str,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    approximate: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<UnixMillis>,
}

/// A whole app can only be counted on its public tenant.
pub(super) async fn count(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let query = Query::of(&call.request);
    let recipes = recipes(query)?;
    let all_tenants = query.flag("includeAllTenants") == Some(true);
    if all_tenants {
        call.require_public_tenant()?;
    }
    let scope = call.scope()?;
    let as_of = context.now();
    let tenant = (!all_tenants).then(|| call.tenant.clone());
    let count = CountUsers { scope, tenant, recipes }.run(context).await?;
    // The count is exact; callers that allow an approximate one expect to be told which it is.
    let is_approximate_allowed = call.wire.counts_may_be_approximate && query.flag("allowApproximate") == Some(true);
    Ok(Reply::json(&CountBody {
        status: "OK",
        count,
        approximate: is_approximate_allowed.then_some(false),
        as_of: is_approximate_allowed.then_some(as_of),
    }))
}
