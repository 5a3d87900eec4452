//! `POST /recipe/session`.

use super::reply::{invalid_validity, issued, key_info, protected_claim};
use crate::command::session::create::{CreateSession, Created, SessionOptions};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::fault::Fault;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;

pub(super) async fn create(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let user_id = body.string("userId")?;
    let enable_anti_csrf = body.bool("enableAntiCsrf")?;
    let user_data_in_jwt = body.object("userDataInJWT")?;
    let user_data_in_database = body.object("userDataInDatabase")?;
    let use_dynamic_signing_key = if call.wire.create_chooses_signing_key {
        body.optional_bool("useDynamicSigningKey")?.unwrap_or(true)
    } else {
        call.app.config.access_token_signing_key_dynamic
    };
    let access_token_validity_ms = access_token_validity(call, &body)?;
    let command = CreateSession {
        scope: call.scope()?,
        tenant: call.tenant.clone(),
        user_id: UserId::new(user_id),
        user_data_in_jwt,
        user_data_in_database,
        options: SessionOptions {
            enable_anti_csrf,
            use_dynamic_signing_key,
            access_token_validity_ms,
            token_version: call.wire.access_token_version,
            max_access_token_bytes: None,
            client: None,
        },
    };
    match command.run(context).await? {
        Created::Ok(session) => Ok(issued(context, call, &session, key_info(context, call).await?)),
        Created::ProtectedClaim => Err(protected_claim()),
        Created::InvalidAccessTokenValidity { max_ms } => Err(invalid_validity(max_ms)),
        Created::TooLarge(_) => Err(Fault::invariant("creating a session without a limit on its token").into()),
    }
}

/// `accessTokenValidity` in ms, where the version has it. A value below 0 is treated like 0.
pub(super) fn access_token_validity(call: &Call, body: &Body<'_>) -> Result<Option<u64>, ApiError> {
    if !call.wire.access_token_validity_override {
        return Ok(None);
    }
    let validity = body.optional_long("accessTokenValidity")?;
    Ok(validity.map(|ms| u64::try_from(ms).unwrap_or(0)))
}
