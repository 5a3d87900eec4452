//! `POST /recipe/session/regenerate`.

use super::reply::{SessionBody, TokenBody, protected_claim};
use crate::command::session::regenerate::{NewPayload, RegenerateAccessToken, Regenerated};
use crate::context::Context;
use crate::fault::Fault;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use http::StatusCode;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RegeneratedBody<'a> {
    status: &'static str,
    session: SessionBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<TokenBody<'a>>,
}

pub(super) async fn regenerate(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let access_token = body.string("accessToken")?;
    let user_data_in_jwt = body.optional_object("userDataInJWT")?;
    let command = RegenerateAccessToken {
        scope: call.scope()?,
        access_token: &access_token,
        payload: user_data_in_jwt.map_or(NewPayload::Stored, NewPayload::Replaced),
        check_protected_claims: call.wire.payload_updates_are_checked,
        max_access_token_bytes: None,
    };
    match command.run(context).await? {
        Regenerated::Ok { session, access_token } => Ok(Reply::json(&RegeneratedBody {
            status: "OK",
            session: SessionBody::new(&session, call.wire),
            access_token: access_token.as_ref().map(TokenBody::new),
        })),
        Regenerated::Unauthorised(sentence) => Ok(Reply::status_with_message("UNAUTHORISED", sentence)),
        Regenerated::ProtectedClaim => Err(protected_claim()),
        Regenerated::TooLarge(_) => Err(Fault::invariant("changing a payload without a limit on its token").into()),
        // This is the caller's mistake, but the protocol answers it with 500.
        Regenerated::Unparsable => Ok(Reply::text(StatusCode::INTERNAL_SERVER_ERROR, "accessToken is not a JWT")),
    }
}
