//! `POST /user/password/reset/token` and `POST /user/password/reset` (protocol: 21, 4).

use super::form::{EMAIL, Form, PASSWORD, PasswordRule, field_errors};
use crate::command::emailpassword::Account;
use crate::command::emailpassword::reset::{ConsumeResetToken, Consumed, CreateResetToken};
use crate::command::emailpassword::sign_up::{SignUp, SignedUp};
use crate::command::emailpassword::update::{UpdateLogin, Updated};
use crate::command::signing_in::{
    ResetTarget, ResetUse, confirm_address, find_reset_target, note_reset_for_nobody, person_of, use_of_reset,
};
use crate::config::front::{FormField, FrontRecipe};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::limits::LimitedAction;
use crate::domain::mail::MailKind;
use crate::domain::user::{MAX_EMAIL, normalise_email};
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::Body;
use crate::http::fdi::limits;
use crate::http::fdi::mail::token_mail;
use crate::http::fdi::reply;
use crate::http::fdi::sign_in::{linker, refused};

const NOT_ALLOWED: &str = "Reset password link was not created because of account take over risk. Please contact support. \
                           (ERR_CODE_001)";
const INVALID: &str = "RESET_PASSWORD_INVALID_TOKEN_ERROR";

/// Sends a link to the owner of the address, if there is one. The reply does not say whether there is.
pub(super) async fn create(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let form = Form::of(&Body::of(&call.request)?)?;
    let errors = form.errors(&only(EMAIL, call), PasswordRule::Existing)?;
    if !errors.is_empty() {
        return Ok(field_errors(&errors));
    }
    let tenant = call.existing_tenant()?;
    let email = normalise_email(form.text(EMAIL));
    if email.len() > MAX_EMAIL {
        return Ok(reply::status("OK"));
    }
    limits::admit(context, call, LimitedAction::Mail, Some(&email)).await?;
    match find_reset_target(context, &linker(call), &email).await? {
        ResetTarget::Nobody => note_reset_for_nobody(context, &call.scope(), &call.tenant, &email).await?,
        ResetTarget::NotAllowed => return Ok(refused("PASSWORD_RESET_NOT_ALLOWED", NOT_ALLOWED)),
        ResetTarget::Person(id) => {
            let mail = token_mail(context, call, (MailKind::PasswordReset, "/reset-password"), &email, &call.tenant);
            let mail = mail.await?;
            let lifetime_ms = tenant.config.password_reset_token_lifetime_ms;
            // Somebody who was deleted meanwhile gets no mail.
            CreateResetToken { scope: call.scope(), id, email: Some(&email), lifetime_ms, mail }.run(context).await?;
        }
    }
    Ok(reply::status("OK"))
}

/// Sets a new password. No session begins; those of a login method whose address was not verified before end.
pub(super) async fn reset(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let body = Body::of(&call.request)?;
    let form = Form::of(&body)?;
    let errors = form.errors(&only(PASSWORD, call), PasswordRule::New(&call.front))?;
    if !errors.is_empty() {
        return Ok(field_errors(&errors));
    }
    let token = body.get("token").ok_or_else(|| FrontError::bad_request("Please provide the password reset token"))?;
    let mistyped = "The password reset token must be a string";
    let token = token.as_str().ok_or_else(|| FrontError::bad_request(mistyped))?;
    call.existing_tenant()?;
    limits::admit(context, call, LimitedAction::Code, None).await?;
    let consumed = ConsumeResetToken { scope: call.scope(), token }.run(context).await?;
    let Consumed::Ok { user_id, email } = consumed else { return Ok(reply::status(INVALID)) };
    let email = normalise_email(&email);
    let password = form.text(PASSWORD);
    let owner = match use_of_reset(context, &linker(call), &user_id, &email).await? {
        ResetUse::SetPassword => set_password(context, call, user_id, password).await?,
        ResetUse::AddPassword => add_password(context, call, &email, password).await?,
        ResetUse::Nothing => None,
    };
    let Some(owner) = owner else { return Ok(reply::status(INVALID)) };
    // The link was sent to the address, so its owner has it.
    if call.front.has(FrontRecipe::EmailVerification) {
        confirm_address(context, &call.scope(), &owner, &email).await?;
    }
    link(context, call, owner).await?;
    limits::succeed(context, call, LimitedAction::Code, None);
    limits::familiarise(context, call, &email);
    Ok(reply::status("OK"))
}

/// The login method, by the id that callers see; `None` if it is gone.
async fn set_password(
    context: &Context,
    call: &FrontCall,
    id: UserId,
    password: &str,
) -> Result<Option<UserId>, FrontError> {
    let command = UpdateLogin { scope: call.scope(), id: id.clone(), email: None, password: Some(password) };
    Ok((command.run(context).await? == Updated::Ok).then_some(id))
}

/// A new login method for somebody who had none with a password; `None` if there is one with this address by now.
async fn add_password(
    context: &Context,
    call: &FrontCall,
    email: &str,
    password: &str,
) -> Result<Option<UserId>, FrontError> {
    call.existing_tenant()?;
    let account = Account { scope: call.scope(), tenant: call.tenant.clone(), email: email.to_owned() };
    Ok(match (SignUp { account, password, metadata: None, session: None }).run(context).await? {
        SignedUp::Ok(signed) => Some(signed.person.recipe_user_id),
        SignedUp::EmailTaken => None,
    })
}

/// Links the login method to others of the owner of the address.
async fn link(context: &Context, call: &FrontCall, id: UserId) -> Result<(), FrontError> {
    // Somebody who was deleted meanwhile has nothing to link.
    let Some(person) = person_of(context, &call.scope(), &id).await? else { return Ok(()) };
    linker(call).link_by_account_info(context, person).await?;
    Ok(())
}

/// The field that such a form has.
fn only(id: &str, call: &FrontCall) -> Vec<FormField> {
    call.front.sign_up_fields.iter().filter(|field| field.id == id).cloned().collect()
}
