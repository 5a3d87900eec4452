//! Asks inline hooks on behalf of browsers.

use super::call::FrontCall;
use super::error::{FrontError, TRY_LATER};
use crate::command::hook::ask::{Additions, AskHook, HookRefusal};
use crate::command::usermetadata::UpdateMetadata;
use crate::context::Context;
use crate::domain::hook::{HookPoint, Question};
use crate::domain::ids::UserId;
use crate::domain::json::JsonObject;
use crate::fault::Fault;
use http::header::USER_AGENT;

/// A question about something in the call's tenant, to be completed.
pub fn question(call: &FrontCall, point: HookPoint) -> Question<'_> {
    Question {
        point,
        tenant: &call.tenant,
        recipe: None,
        infos: &[],
        form_fields: None,
        user: None,
        begins_session: true,
        session: None,
        user_agent: call.request.header(&USER_AGENT),
    }
}

/// Asks the hook, if there is one. `payload` is that of the access token that is about to be made, if one is.
///
/// # Errors
/// When the store fails.
pub async fn ask(
    context: &Context,
    call: &FrontCall,
    question: Question<'_>,
    payload: Option<&JsonObject>,
) -> Result<Result<Additions, HookRefusal>, Fault> {
    AskHook { scope: &call.scope(), question, payload }.run(context).await
}

/// Merges what a hook has added into a user's metadata.
///
/// # Errors
/// When the store fails, or the metadata has become too large.
pub async fn add_metadata(
    context: &Context,
    call: &FrontCall,
    user: &UserId,
    metadata: Option<JsonObject>,
) -> Result<(), Fault> {
    let Some(update) = metadata else { return Ok(()) };
    UpdateMetadata { scope: call.scope(), user_id: user.clone(), update }.run(context).await.map(drop)
}

impl From<HookRefusal> for FrontError {
    fn from(refusal: HookRefusal) -> Self {
        match refusal {
            HookRefusal::Refused(sentence) => Self::Refused(sentence),
            HookRefusal::Unanswered => Self::Refused(TRY_LATER.to_owned()),
        }
    }
}
