//! `POST /recipe/user/email/verify`.

use crate::command::emailverification::verify::{Verified, VerifyEmail};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerifiedBody {
    status: &'static str,
    user_id: UserId,
    email: String,
}

pub(super) async fn verify(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let method = body.string("method")?;
    let token = body.string("token")?;
    if method != "token" {
        return Err(ApiError::bad_request("Unsupported method for email verification"));
    }
    let command = VerifyEmail { scope: call.scope()?, tenant: call.tenant.clone(), token: &token };
    Ok(match command.run(context).await? {
        Verified::Ok { user_id, email } => Reply::json(&VerifiedBody { status: "OK", user_id, email }),
        Verified::InvalidToken => Reply::status("EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"),
    })
}
