//! Users. No recipe stores any yet; the one endpoint here is what SDKs ask before they create a session.

use crate::app::App;
use crate::http::cdi::Call;
use crate::http::cdi::input::Query;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use crate::http::route::Route;
use crate::route;

/// Routes of this part.
pub const ROUTES: &[Route] = &[route!(GET "/user/id", AppStrict403 => by_id)];

/// No user is known here, so every id is taken as it is: Node and Python then create the session for it.
async fn by_id(_app: &App, call: &Call) -> Result<Reply, ApiError> {
    Query::of(&call.request).required("userId")?;
    call.scope()?;
    Ok(Reply::status("UNKNOWN_USER_ID_ERROR"))
}
