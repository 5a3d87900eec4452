//! `POST /signin`.

use super::form::{EMAIL, Form, PASSWORD, PasswordRule, field_errors};
use super::sign_up::{FACTOR, SignedInBody};
use crate::command::emailpassword::Account;
use crate::command::emailpassword::find::FindByEmail;
use crate::command::emailpassword::sign_in::{SignIn, SignedIn};
use crate::command::user::Person;
use crate::command::user::association::{AddToTenant, AddToTenantOutcome};
use crate::config::front::FormField;
use crate::context::Context;
use crate::domain::limits::LimitedAction;
use crate::domain::user::{AccountInfo, RecipeId, is_fake_email, normalise_email};
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::Body;
use crate::http::fdi::limits;
use crate::http::fdi::reply;
use crate::http::fdi::sign_in::{ReasonCodes, SignInAttempt, SigningIn};
use crate::http::fdi::user::FrontUser;

const WRONG: &str = "WRONG_CREDENTIALS_ERROR";

const CODES: ReasonCodes = ReasonCodes {
    sign_in: Some(
        "Cannot sign in due to security reasons. Please try resetting your password, use a different login method or \
         contact support. (ERR_CODE_008)",
    ),
    unverified: Some("009"),
    linked: Some("010"),
    taken: Some("011"),
    session_taken: Some("012"),
    ..ReasonCodes::new("SIGN_IN_NOT_ALLOWED")
};

pub(super) async fn sign_in(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let body = Body::of(&call.request)?;
    let form = Form::of(&body)?;
    let errors = form.errors(&fields(&call.front.sign_up_fields), PasswordRule::Existing)?;
    if !errors.is_empty() {
        return Ok(field_errors(&errors));
    }
    let mut signing_in = SigningIn::begin(context, call, &body).await?;
    call.existing_tenant()?;
    let email = normalise_email(form.text(EMAIL));
    limits::admit(context, call, LimitedAction::SignIn, Some(&email)).await?;
    if is_fake_email(&email) && !signing_in.has_session() {
        return Ok(reply::status(WRONG));
    }
    let account = Account { scope: call.scope(), tenant: call.tenant.clone(), email: email.clone() };
    let known = FindByEmail(account.clone()).run(context).await?;
    let known = match known {
        Some(person) => Some(person),
        None => adopt_login(context, call, &signing_in, &account, form.text(PASSWORD)).await?,
    };
    // Whether the factor is allowed is said only about accounts that exist; for others, time passes as for a wrong
    // password.
    if let Some(person) = &known {
        let attempt = SignInAttempt {
            factors: &[FACTOR],
            recipe: RecipeId::EmailPassword,
            infos: &[AccountInfo::Email(email.clone())],
            user: Some(person),
            is_verified: false,
            verifies: false,
            only_asks: false,
        };
        if let Err(refused) = signing_in.check(context, call, &attempt).await {
            return refused.reply(&CODES);
        }
    }
    let command = SignIn {
        account,
        password: form.text(PASSWORD),
        looked_up: Some(known.as_ref()),
        session: signing_in.session_start(call, FACTOR),
    };
    match command.run(context).await? {
        SignedIn::Ok(signed) => {
            let person = match signing_in.finish(context, call, (*signed, false), FACTOR).await {
                Ok(person) => person,
                Err(refused) => return refused.reply(&CODES),
            };
            limits::succeed(context, call, LimitedAction::SignIn, Some(&email));
            Ok(reply::ok(&SignedInBody { status: "OK", user: FrontUser::of(&person, call.version()) }))
        }
        SignedIn::WrongCredentials => Ok(reply::status(WRONG)),
    }
}

/// Lets the session's user use a login method here that they have in another tenant, if the password is right.
async fn adopt_login(
    context: &Context,
    call: &FrontCall,
    signing_in: &SigningIn,
    account: &Account,
    password: &str,
) -> Result<Option<Person>, FrontError> {
    let info = AccountInfo::Email(account.email.clone());
    let found = signing_in.login_elsewhere(context, call, (RecipeId::EmailPassword, &info)).await?;
    let Some((method, tenant)) = found else { return Ok(None) };
    let elsewhere = Account { tenant, ..account.clone() };
    let command = SignIn { account: elsewhere, password, looked_up: None, session: None };
    let SignedIn::Ok(_) = command.run(context).await? else { return Ok(None) };
    let command = AddToTenant { scope: call.scope(), tenant: account.tenant.clone(), id: method.id };
    match command.run(context).await? {
        // If somebody else has just taken the address here, theirs is the account that is found.
        AddToTenantOutcome::Ok { .. } | AddToTenantOutcome::LoginTaken(_) => {
            Ok(FindByEmail(account.clone()).run(context).await?)
        }
        AddToTenantOutcome::UnknownUser | AddToTenantOutcome::AccountInfoTaken(_) => Err(FrontError::UNAUTHORISED),
    }
}

/// The fields of sign-in: address and password, in the order of the sign-up form.
fn fields(sign_up: &[FormField]) -> Vec<FormField> {
    sign_up.iter().filter(|field| field.id == EMAIL || field.id == PASSWORD).cloned().collect()
}
