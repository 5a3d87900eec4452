//! Code shared by the endpoints of this recipe.

use crate::command::outbox::{CodeMessage, Outbox};
use crate::command::passwordless::PasswordlessScope;
use crate::command::passwordless::find::FindByContact;
use crate::command::user::Person;
use crate::config::front::FlowType;
use crate::context::Context;
use crate::domain::mail::{Addressee, MailAddress};
use crate::domain::passwordless::Contact;
use crate::domain::sms::PhoneNumber;
use crate::domain::user::{AccountInfo, RecipeId};
use crate::fault::Fault;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::mail::language;
use crate::http::fdi::sign_in::{ReasonCodes, Refused, SignInAttempt, SigningIn};

/// How the routes report a refusal.
pub(super) const CODES: ReasonCodes = ReasonCodes {
    sign_up: Some(
        "Cannot sign in / up due to security reasons. Please try a different login method or contact support. \
         (ERR_CODE_002)",
    ),
    sign_in: Some(
        "Cannot sign in / up due to security reasons. Please try a different login method or contact support. \
         (ERR_CODE_003)",
    ),
    linked: Some("017"),
    taken: Some("018"),
    session_taken: Some("019"),
    ..ReasonCodes::new("SIGN_IN_UP_NOT_ALLOWED")
};

/// The tenant with its rules.
pub(super) fn place(call: &FrontCall) -> Result<PasswordlessScope, FrontError> {
    let rules = call.existing_tenant()?.config.passwordless;
    Ok(PasswordlessScope { scope: call.scope(), tenant: call.tenant.clone(), rules })
}

/// The person who signs in with codes sent to this contact.
pub(super) async fn owner(context: &Context, call: &FrontCall, contact: &Contact) -> Result<Option<Person>, Fault> {
    let command = FindByContact { scope: call.scope(), tenant: call.tenant.clone(), contact: contact.clone() };
    command.run(context).await
}

/// The factors that a code for this contact may be: with a session, codes to type in only.
fn factors(call: &FrontCall, contact: &Contact, has_session: bool) -> Vec<&'static str> {
    let (otp, kind) = match contact {
        Contact::Email(_) => ("otp-email", "email"),
        Contact::PhoneNumber(_) => ("otp-phone", "phone"),
    };
    match has_session {
        true => vec![otp],
        false => call.front.passwordless.factors().into_iter().filter(|factor| factor.ends_with(kind)).collect(),
    }
}

/// What somebody with this contact signs up or in with.
pub(super) const fn attempt<'a>(
    factors: &'a [&'static str],
    infos: &'a [AccountInfo],
    user: Option<&'a Person>,
) -> SignInAttempt<'a> {
    let recipe = RecipeId::Passwordless;
    SignInAttempt { factors, recipe, infos, user, is_verified: true, verifies: true, only_asks: false }
}

/// The factors with which a code for this contact may be sent.
///
/// # Errors
/// Why none may.
pub(super) async fn check_sending(
    context: &Context,
    call: &mut FrontCall,
    signing_in: &mut SigningIn,
    contact: &Contact,
) -> Result<Vec<&'static str>, Refused> {
    let user = owner(context, call, contact).await?;
    let factors = factors(call, contact, signing_in.has_session());
    let infos = [contact.info()];
    let attempt = SignInAttempt { only_asks: true, ..attempt(&factors, &infos, user.as_ref()) };
    signing_in.check(context, call, &attempt).await
}

/// The message that brings a code to a contact, in the language of the person who asked for it. `None` for an address
/// that no message can be sent to: forms accept a few of those.
pub(super) async fn message(
    context: &Context,
    call: &FrontCall,
    contact: &Contact,
    flow: FlowType,
) -> Result<Option<CodeMessage>, Fault> {
    let to = match contact {
        Contact::Email(email) => MailAddress::parse(email).ok().map(Addressee::from),
        Contact::PhoneNumber(number) => PhoneNumber::parse(number).ok().map(Addressee::from),
    };
    let Some(to) = to else {
        tracing::info!(request = call.request.id, "no code is sent: no server accepts such an address or number");
        return Ok(None);
    };
    Ok(Some(CodeMessage {
        outbox: Outbox::of(context, &call.app).await?,
        to,
        language: language(call),
        app_name: call.front.app_name.clone(),
        page: call.page("/verify"),
        tenant: call.tenant.clone(),
        has_code: flow.has_code(),
        has_link: flow.has_link(),
    }))
}

/// A required member of a body.
///
/// # Errors
/// 400 with this sentence if it is absent, with another if it is no text.
pub(super) fn required<'b>(
    body: &'b crate::http::fdi::input::Body,
    name: &str,
    missing: &'static str,
) -> Result<&'b str, FrontError> {
    let value = body.get(name).ok_or_else(|| FrontError::bad_request(missing))?;
    value.as_str().ok_or_else(|| FrontError::bad_request(format!("{name} must be a string")))
}

/// 400 for a member that is not base64.
pub(super) fn bad_encoding(name: &str) -> FrontError {
    FrontError::bad_request(format!("Input encoding error in {name}"))
}
