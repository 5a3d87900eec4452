//! `POST /user/email/verify/token`: the mail with the link.

use super::follow::{follow, refetch};
use crate::command::claims::{EMAIL_VERIFIED, email_of};
use crate::command::emailverification::Address;
use crate::command::emailverification::create::{CreateVerificationToken, Created};
use crate::context::Context;
use crate::domain::json::{Json, Members};
use crate::domain::limits::LimitedAction;
use crate::domain::mail::MailKind;
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::mail::token_mail;
use crate::http::fdi::{limits, reply, session};
use std::sync::Arc;

const ALREADY: &str = "EMAIL_ALREADY_VERIFIED_ERROR";

pub(super) async fn create(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let mut session = session::presented(context, call).await?;
    let (id, tenant) = (session.view.recipe_user_id.clone(), session.view.handle.tenant.clone());
    let email = email_of(context, &call.scope(), &id).await?.ok_or(FrontError::UNAUTHORISED)?;
    let Some(email) = email else {
        follow(context, call, &mut session).await?;
        return Ok(reply::status(ALREADY));
    };
    limits::admit(context, call, LimitedAction::Mail, Some(&email)).await?;
    let mail = token_mail(context, call, (MailKind::EmailVerification, "/verify-email"), &email, &tenant).await?;
    let config = call.app.tenant(&tenant).map_or_else(|| Arc::clone(&call.app.config), |it| Arc::clone(&it.config));
    let lifetime_ms = config.email_verification_token_lifetime_ms;
    let address = Address { scope: call.scope(), tenant, user_id: id, email };
    match (CreateVerificationToken { address, lifetime_ms, mail }).run(context).await? {
        Created::AlreadyVerified => {
            follow(context, call, &mut session).await?;
            Ok(reply::status(ALREADY))
        }
        Created::Ok(_) => {
            // It was verified once, and an operator has taken that back.
            let says_verified = |claim: &Json| claim.as_object().and_then(value_of) != Some(false);
            if session.claim(EMAIL_VERIFIED).as_ref().is_none_or(says_verified) {
                refetch(context, call, &mut session).await?;
            }
            Ok(reply::status("OK"))
        }
    }
}

fn value_of(claim: &Members) -> Option<bool> {
    claim.get("v").and_then(Json::as_bool)
}
