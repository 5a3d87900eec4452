//! `POST /signup`.

use super::form::{EMAIL, FieldError, Form, PASSWORD, PasswordRule, field_errors, kept_as_metadata};
use crate::command::emailpassword::Account;
use crate::command::emailpassword::find::FindByEmail;
use crate::command::emailpassword::sign_up::{SignUp, SignedUp};
use crate::context::Context;
use crate::domain::limits::LimitedAction;
use crate::domain::user::sign_up::SignUpRefusal;
use crate::domain::user::{AccountInfo, MAX_EMAIL, RecipeId, is_fake_email, normalise_email};
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::Body;
use crate::http::fdi::limits;
use crate::http::fdi::reply;
use crate::http::fdi::sign_in::{FOREIGN_DOMAIN, Reason, ReasonCodes, Refused, SignInAttempt, SigningIn};
use crate::http::fdi::user::FrontUser;
use serde::Serialize;

/// The recipe's factor.
pub(super) const FACTOR: &str = "emailpassword";

const TAKEN: &str = "This email already exists. Please sign in instead.";

const CODES: ReasonCodes = ReasonCodes {
    sign_up: Some(
        "Cannot sign up due to security reasons. Please try logging in, use a different login method or contact \
         support. (ERR_CODE_007)",
    ),
    unverified: Some("013"),
    linked: Some("014"),
    taken: Some("015"),
    session_taken: Some("016"),
    ..ReasonCodes::new("SIGN_UP_NOT_ALLOWED")
};

/// The reply for a person who has signed up or in.
#[derive(Serialize)]
pub(super) struct SignedInBody<'a> {
    pub(super) status: &'static str,
    pub(super) user: FrontUser<'a>,
}

pub(super) async fn sign_up(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let body = Body::of(&call.request)?;
    let form = Form::of(&body)?;
    let errors = form.errors(&call.front.sign_up_fields, PasswordRule::New(&call.front))?;
    if !errors.is_empty() {
        return Ok(field_errors(&errors));
    }
    let email = normalise_email(form.text(EMAIL));
    if email.len() > MAX_EMAIL {
        return Ok(field_errors(&[FieldError { id: EMAIL.to_owned(), error: "Email is invalid" }]));
    }
    let mut signing_in = SigningIn::begin(context, call, &body).await?;
    limits::admit(context, call, LimitedAction::SignUp, Some(&email)).await?;
    let is_fake = is_fake_email(&email);
    if is_fake && !signing_in.has_made_up(context, call, &email).await? {
        return Ok(taken());
    }
    let account = Account { scope: call.scope(), tenant: call.tenant.clone(), email: email.clone() };
    let attempt = SignInAttempt {
        factors: &[FACTOR],
        recipe: RecipeId::EmailPassword,
        infos: &[AccountInfo::Email(account.email.clone())],
        user: None,
        is_verified: is_fake,
        verifies: false,
        only_asks: false,
    };
    match signing_in.check(context, call, &attempt).await {
        // Addresses that the SDKs make up are for people who add a password to what they have.
        Ok(_) if is_fake && signing_in.is_first_factor() => return Ok(taken()),
        Ok(_) => {}
        Err(Refused::Reason(Reason::SignUpRefused(SignUpRefusal::Domain))) => {
            return Ok(field_errors(&[FieldError { id: EMAIL.to_owned(), error: FOREIGN_DOMAIN }]));
        }
        Err(Refused::Reason(Reason::SignUpNotAllowed))
            if FindByEmail(account.clone()).run(context).await?.is_some() =>
        {
            return Ok(taken());
        }
        Err(refused) => return refused.reply(&CODES),
    }
    let answers = form.answers(&call.front.sign_up_fields);
    signing_in.ask_sign_up(context, call, &attempt, answers.as_ref()).await?;
    let metadata = answers.as_ref().map(kept_as_metadata);
    let session = signing_in.session_start(call, FACTOR);
    let command = SignUp { account, password: form.text(PASSWORD), metadata, session };
    let SignedUp::Ok(signed) = command.run(context).await? else { return Ok(taken()) };
    let person = match signing_in.finish(context, call, (*signed, true), FACTOR).await {
        Ok(person) => person,
        Err(refused) => return refused.reply(&CODES),
    };
    limits::familiarise(context, call, &email);
    Ok(reply::ok(&SignedInBody { status: "OK", user: FrontUser::of(&person, call.version()) }))
}

fn taken() -> Reply {
    field_errors(&[FieldError { id: EMAIL.to_owned(), error: TAKEN }])
}
