//! `GET /recipe/user`: by id in the whole app, by contact in the path's tenant.

use super::shared::contact;
use crate::command::passwordless::find::FindByContact;
use crate::command::user::look_up::FindLogin;
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::user::RecipeId;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Query;
use crate::http::cdi::user::object::found_or;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;

pub(super) async fn find(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let query = Query::of(&call.request);
    let (id, email, phone_number) = (query.optional("userId"), query.optional("email"), query.optional("phoneNumber"));
    let (found, unknown) = match (id, contact(email.as_deref(), phone_number.as_deref())?) {
        (Some(id), None) if email.is_none() && phone_number.is_none() => {
            call.require_public_tenant()?;
            let command = FindLogin { scope: call.scope()?, id: UserId::new(id), recipe: RecipeId::Passwordless };
            (command.run(context).await?, "UNKNOWN_USER_ID_ERROR")
        }
        (None, Some(contact)) => {
            call.existing_tenant()?;
            let unknown = if email.is_some() { "UNKNOWN_EMAIL_ERROR" } else { "UNKNOWN_PHONE_NUMBER_ERROR" };
            let command = FindByContact { scope: call.scope()?, tenant: call.tenant.clone(), contact };
            (command.run(context).await?, unknown)
        }
        _ => {
            let sentence = "Please provide exactly one of userId, email or phoneNumber";
            return Err(ApiError::bad_request(sentence));
        }
    };
    Ok(found_or(unknown, found.as_ref(), call.wire))
}
