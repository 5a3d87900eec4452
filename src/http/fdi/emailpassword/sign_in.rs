//! `POST /signin`.

use super::form::{EMAIL, Form, PASSWORD, PasswordRule, field_errors};
use super::sign_up::SignedInBody;
use crate::command::emailpassword::Account;
use crate::command::emailpassword::find::FindByEmail;
use crate::command::emailpassword::sign_in::{SignIn, SignedIn};
use crate::config::front::FormField;
use crate::context::Context;
use crate::domain::user::{is_fake_email, normalise_email};
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::Body;
use crate::http::fdi::reply;
use crate::http::fdi::sign_in::SigningIn;
use crate::http::fdi::user::FrontUser;

const WRONG: &str = "WRONG_CREDENTIALS_ERROR";

pub(super) async fn sign_in(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let body = Body::of(&call.request)?;
    let form = Form::of(&body)?;
    let errors = form.errors(&fields(&call.front.sign_up_fields), PasswordRule::Existing)?;
    if !errors.is_empty() {
        return Ok(field_errors(&errors));
    }
    let signing_in = SigningIn::begin(context, call, &body).await?;
    call.existing_tenant()?;
    let email = normalise_email(form.text(EMAIL));
    if is_fake_email(&email) && !signing_in.has_session() {
        return Ok(reply::status(WRONG));
    }
    let account = || Account { scope: call.scope(), tenant: call.tenant.clone(), email: email.clone() };
    // Whether the factor is allowed is said only about accounts that exist; for others, time passes as for a wrong
    // password.
    if FindByEmail(account()).run(context).await?.is_some() {
        signing_in.check_factor(call, "emailpassword")?;
    }
    match (SignIn { account: account(), password: form.text(PASSWORD) }).run(context).await? {
        SignedIn::Ok(person) => {
            let person = signing_in.finish(context, call, *person).await?;
            Ok(reply::ok(&SignedInBody { status: "OK", user: FrontUser::of(&person, call.version) }))
        }
        SignedIn::WrongCredentials => Ok(reply::status(WRONG)),
    }
}

/// The fields of sign-in: address and password, in the order of the sign-up form.
fn fields(sign_up: &[FormField]) -> Vec<FormField> {
    sign_up.iter().filter(|field| field.id == EMAIL || field.id == PASSWORD).cloned().collect()
}
