//! `POST /signinup/code/consume`: the code or the link comes back.

use super::shared::{self, CODES, bad_encoding, required};
use crate::command::passwordless::attempt::{Attempt, CheckCode, Presented, Refused};
use crate::command::passwordless::consume::{ConsumeCode, Consumed};
use crate::command::passwordless::list::{ListDevices, Of};
use crate::command::signing_in::confirm_by_code;
use crate::command::user::FindUser;
use crate::config::front::FrontRecipe;
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::passwordless::{Contact, DeviceHash, DeviceId, LinkCode};
use crate::domain::secret::Secret;
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::Body;
use crate::http::fdi::reply;
use crate::http::fdi::sign_in::SigningIn;
use crate::http::fdi::user::FrontUser;
use serde::Serialize;

const RESTART: &str = "RESTART_FLOW_ERROR";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedInBody<'a> {
    status: &'static str,
    created_new_recipe_user: bool,
    /// Its name in FDI 1.17 and below, and in 2.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_new_user: Option<bool>,
    user: FrontUser<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FailedBody {
    status: &'static str,
    failed_code_input_attempt_count: u64,
    maximum_code_input_attempts: u64,
}

/// What the client sends back.
struct Answer {
    pre_auth_session: Option<DeviceHash>,
    code: AnswerCode,
}

/// The two ways to sign in.
enum AnswerCode {
    Link(String),
    Input { device: String, code: String },
}

pub(super) async fn consume(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let answer = Answer::of(&Body::of(&call.request)?)?;
    let signing_in = SigningIn::begin(context, call, &Body::of(&call.request)?).await?;
    let Some(contact) = answer.contact(context, call).await? else { return Ok(reply::status(RESTART)) };
    let verified = verify_own_address(context, call, &signing_in, &contact, &answer).await?;
    let factor = answer.factor(&contact);
    let user = shared::owner(context, call, &contact).await?;
    let (factors, infos) = ([factor], [contact.info()]);
    let attempt = shared::attempt(&factors, &infos, user.as_ref());
    if let Err(refused) = signing_in.check(context, call, &attempt).await {
        return refused.reply(&CODES);
    }
    // A wrong code was counted when it was checked: not twice.
    if let Some(Err(refused)) = verified {
        return failed(refused);
    }
    let command = ConsumeCode { attempt: answer.attempt(call)?, confirms_email: true };
    let (person, created) = match command.run(context).await? {
        Consumed::Ok { person, created, .. } => (*person, created),
        Consumed::Refused(refused) => return failed(refused),
    };
    let person = match signing_in.finish(context, call, person, factor).await {
        Ok(person) => person,
        Err(refused) => return refused.reply(&CODES),
    };
    Ok(reply::ok(&SignedInBody {
        status: "OK",
        created_new_recipe_user: created,
        created_new_user: (!call.version.users_have_login_methods).then_some(created),
        user: FrontUser::of(&person, call.version),
    }))
}

impl Answer {
    fn of(body: &Body) -> Result<Self, FrontError> {
        let pre_auth_session = required(body, "preAuthSessionId", "Please provide preAuthSessionId")?;
        let either = "Please provide one of (linkCode) or (deviceId+userInputCode) and not both";
        let [link, device, code] = ["linkCode", "deviceId", "userInputCode"].map(|name| body.get(name).is_some());
        let text = |name| required(body, name, either).map(str::to_owned);
        let code = match (link, device || code) {
            (true, false) => AnswerCode::Link(text("linkCode")?),
            (false, true) if device && code => {
                AnswerCode::Input { device: text("deviceId")?, code: text("userInputCode")? }
            }
            (false, true) => return Err(FrontError::bad_request("Please provide both deviceId and userInputCode")),
            _ => return Err(FrontError::bad_request(either)),
        };
        Ok(Self { pre_auth_session: DeviceHash::parse(pre_auth_session), code })
    }

    /// The contact of the device that the client names, if there is one.
    async fn contact(&self, context: &Context, call: &FrontCall) -> Result<Option<Contact>, FrontError> {
        let place = shared::place(call)?;
        let Some(hash) = self.pre_auth_session else { return Ok(None) };
        let devices = ListDevices { place, of: Of::Device(hash) }.run(context).await?;
        Ok(devices.into_iter().next().map(|(_, device)| device.contact))
    }

    const fn factor(&self, contact: &Contact) -> &'static str {
        match (&self.code, contact) {
            (AnswerCode::Input { .. }, Contact::Email(_)) => "otp-email",
            (AnswerCode::Input { .. }, Contact::PhoneNumber(_)) => "otp-phone",
            (AnswerCode::Link(_), Contact::Email(_)) => "link-email",
            (AnswerCode::Link(_), Contact::PhoneNumber(_)) => "link-phone",
        }
    }

    fn attempt(&self, call: &FrontCall) -> Result<Attempt, FrontError> {
        let presented = match &self.code {
            AnswerCode::Link(link) => {
                Presented::LinkCode(LinkCode::parse(link).ok_or_else(|| bad_encoding("linkCode"))?)
            }
            AnswerCode::Input { device, code } => Presented::InputCode {
                device: DeviceId::parse(device).ok_or_else(|| bad_encoding("deviceId"))?,
                code: Secret::new(code.clone()),
            },
        };
        Ok(Attempt { place: shared::place(call)?, pre_auth_session: self.pre_auth_session, presented })
    }
}

/// Verifies the address of the session's own login method, if the code was sent there: whoever reads it has the mailbox.
/// Returns whether the code was right, if it was checked.
async fn verify_own_address(
    context: &Context,
    call: &FrontCall,
    signing_in: &SigningIn,
    contact: &Contact,
    answer: &Answer,
) -> Result<Option<Result<(), Refused>>, FrontError> {
    let (Some(session), Some(email)) = (signing_in.session(), contact.email()) else { return Ok(None) };
    if !call.front.has(FrontRecipe::EmailVerification) {
        return Ok(None);
    }
    let (user_id, own_id) = (session.view.user_id.clone(), &session.view.recipe_user_id);
    if !is_unverified(context, call, (user_id, own_id), email).await? {
        return Ok(None);
    }
    match CheckCode(answer.attempt(call)?).run(context).await? {
        Ok(_) => {
            confirm_by_code(context, &call.scope(), own_id, email).await?;
            Ok(Some(Ok(())))
        }
        Err(refused) => Ok(Some(Err(refused))),
    }
}

/// True if a user's login method has this address and has not verified it.
async fn is_unverified(
    context: &Context,
    call: &FrontCall,
    (user_id, own_id): (UserId, &UserId),
    email: &str,
) -> Result<bool, FrontError> {
    let found = FindUser { scope: call.scope(), id: user_id }.run(context).await?.ok_or(FrontError::UNAUTHORISED)?;
    let mut methods = found.user.methods.iter().zip(&found.verified);
    let own = methods.find(|(method, _)| method.shown_id() == own_id).ok_or(FrontError::UNAUTHORISED)?;
    let (method, is_verified) = own;
    Ok(!is_verified && method.login.email() == Some(email))
}

fn failed(refused: Refused) -> Result<Reply, FrontError> {
    match refused {
        Refused::RestartFlow => Ok(reply::status(RESTART)),
        Refused::OtherDevice => Err(FrontError::bad_request("preAuthSessionId and deviceId doesn't match")),
        Refused::WrongInput { expired, failed_attempts, attempts_max } => Ok(reply::ok(&FailedBody {
            status: if expired { "EXPIRED_USER_INPUT_CODE_ERROR" } else { "INCORRECT_USER_INPUT_CODE_ERROR" },
            failed_code_input_attempt_count: failed_attempts,
            maximum_code_input_attempts: attempts_max,
        })),
    }
}
