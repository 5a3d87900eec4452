//! `GET /users/count/active`.

use crate::command::activity::CountActiveUsers;
use crate::context::Context;
use crate::domain::time::UnixMillis;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Query;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
struct CountBody {
    status: &'static str,
    count: u64,
}

pub(super) async fn count(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let query = Query::of(&call.request);
    query.required("since")?;
    let since = query.long("since")?.unwrap_or_default();
    let negative = |_| ApiError::bad_request("'since' query parameter must be >= 0");
    let since = UnixMillis(u64::try_from(since).map_err(negative)?);
    let count = CountActiveUsers { scope: call.scope()?, since }.run(context).await?;
    Ok(Reply::json(&CountBody { status: "OK", count }))
}
