//! `GET /emailpassword/email/exists`.

use crate::command::emailpassword::Account;
use crate::command::emailpassword::find::FindByEmail;
use crate::context::Context;
use crate::domain::limits::LimitedAction;
use crate::domain::user::{MAX_EMAIL, normalise_email};
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::{input, limits, reply};
use serde::Serialize;

#[derive(Serialize)]
struct ExistsBody {
    status: &'static str,
    exists: bool,
}

pub(super) async fn exists(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let email = input::query(&call.request, "email")
        .ok_or_else(|| FrontError::bad_request("Please provide the email as a GET param"))?;
    let email = normalise_email(&email);
    call.existing_tenant()?;
    limits::admit(context, call, LimitedAction::Lookup, None).await?;
    let account = Account { scope: call.scope(), tenant: call.tenant.clone(), email };
    let is_told = call.front.accounts.are_told;
    let exists = is_told && account.email.len() <= MAX_EMAIL && FindByEmail(account).run(context).await?.is_some();
    Ok(reply::ok(&ExistsBody { status: "OK", exists }))
}
