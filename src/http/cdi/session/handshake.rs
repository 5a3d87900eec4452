//! `POST /recipe/handshake` (CDI < 2.21): keys and settings for SDKs that verify with a bare public key.

use super::reply::{KeyBody, key_info};
use crate::context::Context;
use crate::http::cdi::call::Call;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HandshakeBody {
    status: &'static str,
    #[serde(flatten)]
    keys: Option<KeyBody>,
    access_token_blacklisting_enabled: bool,
    access_token_validity: u64,
    refresh_token_validity: u64,
}

pub(super) async fn handshake(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    call.scope()?;
    let config = &call.app.config;
    Ok(Reply::json(&HandshakeBody {
        status: "OK",
        keys: key_info(context, call).await?,
        access_token_blacklisting_enabled: config.access_token_blacklisting,
        access_token_validity: config.access_token_validity_ms,
        refresh_token_validity: config.refresh_token_validity_ms,
    }))
}
