//! `POST /signout` (protocol: 20, 6).

use super::load::presented;
use crate::command::session::revoke::{RevokeSessions, Which};
use crate::context::Context;
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::reply;

pub(super) async fn sign_out(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let session = presented(context, call).await?;
    let which = Which::Handles(vec![session.view.handle.to_string()]);
    // A session that has ended meanwhile is signed out, too.
    RevokeSessions { scope: call.scope(), which }.run(context).await?;
    call.tokens.clear(session.transfer(), &call.rules);
    Ok(reply::status("OK"))
}
