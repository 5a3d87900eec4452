//! `POST /signinup/code/consume`: the code or the link comes back.

use super::answer::{Answer, EarlyCheck};
use super::session_user::{self, verify_own_address};
use super::shared::{self, CODES};
use crate::command::hook::ask::is_asked;
use crate::command::passwordless::attempt::Refused;
use crate::command::passwordless::consume::{ConsumeCode, Consumed};
use crate::context::Context;
use crate::domain::hook::HookPoint;
use crate::domain::limits::LimitedAction;
use crate::domain::passwordless::Contact;
use crate::http::codes::RefusedCodeBody;
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::Body;
use crate::http::fdi::limits;
use crate::http::fdi::reply;
use crate::http::fdi::sign_in::{self, Reason, SigningIn};
use crate::http::fdi::user::CreatedBody;

const RESTART: &str = "RESTART_FLOW_ERROR";

pub(super) async fn consume(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let answer = Answer::of(&Body::of(&call.request)?)?;
    let mut signing_in = SigningIn::begin(context, call, &Body::of(&call.request)?).await?;
    let contact = answer.contact(context, call).await?;
    let account = contact.as_ref().map(Contact::text);
    limits::admit(context, call, LimitedAction::Code, account).await?;
    let Some(contact) = contact else { return Ok(reply::status(RESTART)) };
    let mut early = EarlyCheck::of(&answer);
    let user = session_user::owner(context, call, &signing_in, &contact, &mut early).await?;
    verify_own_address(context, call, &signing_in, &contact, &mut early).await?;
    let factor = answer.factor(&contact);
    let (factors, infos) = ([factor], [contact.info()]);
    let attempt = shared::attempt(&factors, &infos, user.as_ref());
    if let Err(refused) = signing_in.check(context, call, &attempt).await {
        let is_rule = matches!(refused, sign_in::Refused::Reason(Reason::SignUpRefused(_)));
        // Whether an address has an account is said to nobody but those who read its mail.
        if is_rule && !early.is_right(context, call).await? {
            return early.verdict.and_then(Result::err).map_or_else(|| Ok(reply::status(RESTART)), failed);
        }
        return refused.reply(&CODES);
    }
    let asks = attempt.is_sign_up() && is_asked(&call.scope(), HookPoint::SignUp);
    if asks {
        // Whether somebody may sign up is said to those only who have the code.
        early.is_right(context, call).await?;
    }
    // A wrong code was counted when it was checked: not twice.
    if let Some(Err(refused)) = early.verdict {
        return failed(refused);
    }
    if asks {
        signing_in.ask_sign_up(context, call, &attempt, None).await?;
    }
    let session = signing_in.session_start(call, factor);
    let command = ConsumeCode { attempt: answer.attempt(call)?, confirms_email: true, session };
    let (signed, created) = match command.run(context).await? {
        Consumed::Ok { signed, created, .. } => (*signed, created),
        Consumed::Refused(refused) => return failed(refused),
    };
    let person = match signing_in.finish(context, call, (signed, created), factor).await {
        Ok(person) => person,
        Err(refused) => return refused.reply(&CODES),
    };
    limits::succeed(context, call, LimitedAction::Code, Some(contact.text()));
    limits::succeed_message(context, call, &contact);
    Ok(reply::ok(&CreatedBody::under_both_names(&person, created, call.version())))
}

fn failed(refused: Refused) -> Result<Reply, FrontError> {
    RefusedCodeBody::of(refused).map(|body| reply::ok(&body)).map_err(FrontError::bad_request)
}
