//! `POST /recipe/dashboard/signin`, and the sessions that it creates.

use crate::command::dashboard::session::{EndSession, ListSessions, VerifyDashboardSession};
use crate::command::dashboard::sign_in::{DashboardSignIn, SignedIn};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::time::UnixMillis;
use crate::domain::user::normalise_email;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::{Body, Query};
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedInBody<'a> {
    status: &'static str,
    session_id: &'a str,
}

#[derive(Serialize)]
struct VerifiedBody<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
}

#[derive(Serialize)]
struct SessionsBody<'a> {
    status: &'static str,
    sessions: Vec<SessionBody<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionBody<'a> {
    user_id: &'a UserId,
    session_id: String,
    time_created: UnixMillis,
    expiry: UnixMillis,
}

pub(super) async fn sign_in(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let email = normalise_email(&body.trimmed_string("email")?);
    let password = body.trimmed_string("password")?;
    let command = DashboardSignIn { scope: call.scope()?, email, password: &password };
    Ok(match command.run(context).await? {
        SignedIn::Ok(session) => Reply::json(&SignedInBody { status: "OK", session_id: session.expose() }),
        SignedIn::WrongCredentials => Reply::status("INVALID_CREDENTIALS_ERROR"),
    })
}

pub(super) async fn verify(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let session_id = Body::of(&call.request)?.trimmed_string("sessionId")?;
    let command = VerifyDashboardSession { scope: call.scope()?, session_id: &session_id };
    Ok(match command.run(context).await? {
        Some(user) => {
            let email = call.wire.dashboard_names_user.then_some(user.email.as_str());
            Reply::json(&VerifiedBody { status: "OK", email })
        }
        None => Reply::status("INVALID_SESSION_ERROR"),
    })
}

pub(super) async fn end(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let session_id = Query::of(&call.request).trimmed("sessionId")?;
    EndSession { scope: call.scope()?, session_id: &session_id }.run(context).await?;
    Ok(Reply::status("OK"))
}

pub(super) async fn list(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let user_id = UserId::new(Query::of(&call.request).trimmed("userId")?);
    let found = ListSessions { scope: call.scope()?, user_id: &user_id }.run(context).await?;
    let shown = found.into_iter().map(|session| SessionBody {
        user_id: &user_id,
        session_id: session.name,
        time_created: session.created,
        expiry: session.expires,
    });
    Ok(Reply::json(&SessionsBody { status: "OK", sessions: shown.collect() }))
}
