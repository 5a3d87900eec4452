//! `POST /user/email/verify` and `GET /user/email/verify`.

use super::follow::follow;
use crate::command::claims::{EMAIL_VERIFIED, boolean_claim, email_of};
use crate::command::emailverification::Address;
use crate::command::emailverification::status::IsEmailVerified;
use crate::command::emailverification::verify::{Verified, VerifyEmail};
use crate::command::signing_in::person_of;
use crate::context::Context;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::limits::LimitedAction;
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::Body;
use crate::http::fdi::sign_in::linker;
use crate::http::fdi::{limits, reply, session};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerifiedBody {
    status: &'static str,
    is_verified: bool,
}

/// Uses a token. The session's claim follows, if the address is its own.
pub(super) async fn verify(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let body = Body::of(&call.request)?;
    let missing = "Please provide the email verification token";
    let token = body.present("token").ok_or_else(|| FrontError::bad_request(missing))?;
    let mistyped = "The email verification token must be a string";
    let token = token.as_str().ok_or_else(|| FrontError::bad_request(mistyped))?;
    let session = session::optional_presented(context, call).await?;
    call.existing_tenant()?;
    limits::admit(context, call, LimitedAction::Code, None).await?;
    let command = VerifyEmail { scope: call.scope(), tenant: call.tenant.clone(), token };
    match command.run(context).await? {
        Verified::Ok { user_id, email } => {
            limits::succeed(context, call, LimitedAction::Code, None);
            link(context, call, &user_id, &email).await?;
            if let Some(mut session) = session.filter(|session| session.view.recipe_user_id == user_id) {
                follow(context, call, &mut session).await?;
            }
            Ok(reply::status("OK"))
        }
        Verified::InvalidToken => Ok(reply::status("EMAIL_VERIFICATION_INVALID_TOKEN_ERROR")),
    }
}

/// Links the login method to others with the address, if it is the one that it has now.
async fn link(context: &Context, call: &FrontCall, id: &UserId, email: &str) -> Result<(), FrontError> {
    let Some(person) = person_of(context, &call.scope(), id).await? else { return Ok(()) };
    let method = person.info.user.method(&person.recipe_user_id);
    if method.is_some_and(|method| method.login.email() == Some(email)) {
        linker(call).link_by_account_info(context, person).await?;
    }
    Ok(())
}

/// Says whether the address of the session is verified, and brings the claim up to date.
pub(super) async fn show(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let mut session = session::presented(context, call).await?;
    let id = session.view.recipe_user_id.clone();
    let email = email_of(context, &call.scope(), &id).await?.ok_or(FrontError::UNAUTHORISED)?;
    let is_verified = match email {
        // Somebody without an address has nothing to verify.
        None => true,
        Some(email) => {
            let address = Address { scope: call.scope(), tenant: TenantId::public(), user_id: id, email };
            let verified = IsEmailVerified(address).run(context).await?;
            match verified {
                true => follow(context, call, &mut session).await?,
                false => {
                    session.set_claim(context, call, EMAIL_VERIFIED, boolean_claim(false, context.now())).await?;
                }
            }
            verified
        }
    };
    Ok(reply::ok(&VerifiedBody { status: "OK", is_verified }))
}
