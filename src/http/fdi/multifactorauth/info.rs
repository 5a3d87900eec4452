//! `PUT /mfa/info`: which factor comes next, and with which addresses and phone numbers.

use super::claim::{SessionFactors, refresh};
use crate::command::signing_in::second_factors_of;
use crate::command::user::FindUser;
use crate::context::Context;
use crate::domain::multifactorauth::check_set_up;
use crate::domain::multifactorauth::contacts::{emails_for, phone_numbers_for};
use crate::domain::user::front_linking::Known;
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::{reply, session};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InfoBody<'a> {
    status: &'static str,
    factors: FactorsBody<'a>,
    emails: BTreeMap<&'static str, Vec<String>>,
    phone_numbers: BTreeMap<&'static str, Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FactorsBody<'a> {
    next: Vec<&'a String>,
    already_setup: Vec<&'static str>,
    allowed_to_setup: Vec<&'static str>,
}

/// Brings the session's claim up to date, and says what there is to do.
pub(super) async fn update(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let mut session = session::required(context, call).await?;
    let found = FindUser { scope: call.scope(), id: session.view.user_id.clone() }.run(context).await?;
    let info = found.ok_or(FrontError::UNAUTHORISED)?;
    let SessionFactors { claim, required } = refresh(context, call, &mut session).await?;
    let mut methods = info.user.methods.iter();
    let used = methods.find(|method| *method.shown_id() == session.view.recipe_user_id);
    let used = used.ok_or(FrontError::UNAUTHORISED)?;
    let available = call.front.available_second_factors();
    let already_setup = second_factors_of(context, &call.scope(), &call.front, &info.user).await?;
    let unsatisfied = claim.unsatisfied(&required);
    let may = |factor: &&'static str| check_set_up(factor, &claim, &required, &already_setup).is_ok();
    let allowed_to_setup: Vec<&'static str> = available.iter().copied().filter(may).collect();
    let is_possible = |factor: &&String| {
        let mut possible = allowed_to_setup.iter().chain(&already_setup);
        possible.any(|known| known == factor)
    };
    let next: Vec<&String> = unsatisfied.iter().filter(is_possible).collect();
    if next.is_empty() && !unsatisfied.is_empty() {
        return Err(FrontError::UnattainableFactors(unsatisfied.join(", ")));
    }
    let person = Known { user: &info.user, verified: &info.verified };
    let each = |contacts: fn(&str, Known<'_>, &crate::domain::user::LoginMethod) -> Option<Vec<String>>| {
        available.iter().filter_map(|factor| Some((*factor, contacts(factor, person, used)?))).collect()
    };
    Ok(reply::ok(&InfoBody {
        status: "OK",
        emails: each(emails_for),
        phone_numbers: each(phone_numbers_for),
        factors: FactorsBody { next, already_setup, allowed_to_setup },
    }))
}
