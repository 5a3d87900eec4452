//! `POST /recipe/user/email/verify/token` and `…/token/remove`.

use super::shared::address;
use crate::command::emailverification::create::{CreateVerificationToken, Created};
use crate::command::emailverification::revoke::RevokeVerificationTokens;
use crate::context::Context;
use crate::http::cdi::call::Call;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
struct TokenBody<'a> {
    status: &'static str,
    token: &'a str,
}

pub(super) async fn create(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let address = address(call)?;
    let lifetime_ms = call.existing_tenant()?.config.email_verification_token_lifetime_ms;
    Ok(match (CreateVerificationToken { address, lifetime_ms, mail: None }).run(context).await? {
        Created::Ok(token) => Reply::json(&TokenBody { status: "OK", token: token.expose() }),
        Created::AlreadyVerified => Reply::status("EMAIL_ALREADY_VERIFIED_ERROR"),
    })
}

pub(super) async fn revoke(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    RevokeVerificationTokens(address(call)?).run(context).await?;
    Ok(Reply::status("OK"))
}
