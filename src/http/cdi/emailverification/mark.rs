//! `GET /recipe/user/email/verify` and `POST /recipe/user/email/verify/remove`.

use super::shared::{address_in_app, require_storable};
use crate::command::emailverification::Address;
use crate::command::emailverification::status::{IsEmailVerified, UnverifyEmail};
use crate::context::Context;
use crate::domain::ids::{TenantId, UserId};
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Query;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusBody {
    status: &'static str,
    is_verified: bool,
}

/// Unlike everywhere else, the address is used as sent.
pub(super) async fn show(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let query = Query::of(&call.request);
    let user_id = UserId::new(query.required("userId")?);
    let email = query.required("email")?.into_owned();
    require_storable(&email)?;
    let address = Address { scope: call.scope()?, tenant: TenantId::public(), user_id, email };
    Ok(Reply::json(&StatusBody { status: "OK", is_verified: IsEmailVerified(address).run(context).await? }))
}

pub(super) async fn remove(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    UnverifyEmail(address_in_app(call)?).run(context).await?;
    Ok(Reply::status("OK"))
}
