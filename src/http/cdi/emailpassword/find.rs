//! `GET /recipe/user`: by id in the whole app, by address in the path's tenant.

use super::shared::PersonBody;
use crate::command::emailpassword::Account;
use crate::command::emailpassword::find::FindByEmail;
use crate::command::user::look_up::FindLogin;
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::user::{RecipeId, normalise_email};
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Query;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;

pub(super) async fn find(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let query = Query::of(&call.request);
    let (found, unknown) = match (query.optional("userId"), query.optional("email")) {
        (Some(_), Some(_)) => return Err(ApiError::bad_request("Please provide only one of userId or email")),
        (None, None) => return Err(ApiError::bad_request("Please provide one of userId or email")),
        (Some(id), None) => {
            call.require_public_tenant()?;
            let command = FindLogin { scope: call.scope()?, id: UserId::new(id), recipe: RecipeId::EmailPassword };
            (command.run(context).await?, "UNKNOWN_USER_ID_ERROR")
        }
        (None, Some(email)) => {
            call.existing_tenant()?;
            let email = normalise_email(&email);
            let account = Account { scope: call.scope()?, tenant: call.tenant.clone(), email };
            (FindByEmail(account).run(context).await?, "UNKNOWN_EMAIL_ERROR")
        }
    };
    Ok(found.map_or_else(|| Reply::status(unknown), |person| Reply::json(&PersonBody::of(&person, call))))
}
