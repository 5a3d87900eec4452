//! `POST /recipe/session/verify`.

use super::reply::{KeyBody, SessionBody, TokenBody, key_info};
use crate::command::session::verify::{Verified, VerifySession};
use crate::context::Context;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerifiedBody<'a> {
    status: &'static str,
    session: SessionBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<TokenBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_update_available: Option<bool>,
    #[serde(flatten)]
    keys: Option<KeyBody>,
}

#[derive(Serialize)]
struct TryRefreshBody {
    status: &'static str,
    message: &'static str,
    #[serde(flatten)]
    keys: Option<KeyBody>,
}

pub(super) async fn verify(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let access_token = body.string("accessToken")?;
    let anti_csrf_token = body.optional_string("antiCsrfToken")?;
    let do_anti_csrf_check = body.bool("doAntiCsrfCheck")?;
    let enable_anti_csrf = body.bool("enableAntiCsrf")?;
    let check_database = if call.wire.requires_check_database {
        body.bool("checkDatabase")?
    } else {
        call.app.config.access_token_blacklisting
    };
    let command = VerifySession {
        scope: call.scope()?,
        access_token: &access_token,
        anti_csrf_token: anti_csrf_token.as_deref(),
        do_anti_csrf_check,
        enable_anti_csrf,
        check_database,
        policy: call.wire.refresh_policy,
    };
    Ok(match command.run(context).await? {
        Verified::Ok { session, access_token, payload_update_available } => Reply::json(&VerifiedBody {
            status: "OK",
            session: SessionBody::new(&session, call.wire),
            access_token: access_token.as_ref().map(TokenBody::new),
            payload_update_available,
            keys: key_info(context, call).await?,
        }),
        Verified::Unauthorised(message) => Reply::status_with_message("UNAUTHORISED", message),
        Verified::TryRefreshToken(message) => {
            Reply::json(&TryRefreshBody { status: "TRY_REFRESH_TOKEN", message, keys: key_info(context, call).await? })
        }
    })
}
