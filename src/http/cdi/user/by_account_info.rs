//! `GET /users/by-accountinfo`.

use super::object::UserObject;
use crate::command::user::look_up::LookUpUsers;
use crate::context::Context;
use crate::domain::user::{AccountInfo, LookUp, ThirdPartyAccount, normalise_email, normalise_phone_number};
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Query;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
struct UsersBody<'a> {
    status: &'static str,
    users: Vec<UserObject<'a>>,
}

/// Always answers with whole users, at every version.
pub(super) async fn by_account_info(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let query = Query::of(&call.request);
    let union = match &*query.required("doUnionOfAccountInfo")? {
        "true" => true,
        "false" => false,
        _ => return Err(ApiError::bad_request("'doUnionOfAccountInfo' should be either 'true' or 'false'")),
    };
    let criteria = criteria(query)?;
    let scope = call.scope()?;
    let users = LookUpUsers { scope, tenant: call.tenant.clone(), criteria, union }.run(context).await?;
    let users = users.iter().map(|info| UserObject::whole(info, call.wire)).collect();
    Ok(Reply::json(&UsersBody { status: "OK", users }))
}

fn criteria(query: Query<'_>) -> Result<Vec<LookUp>, ApiError> {
    let email = query.optional("email").map(|email| AccountInfo::Email(normalise_email(&email)));
    let phone = query.optional("phoneNumber").map(|number| AccountInfo::PhoneNumber(normalise_phone_number(&number)));
    let account = match (query.optional("thirdPartyId"), query.optional("thirdPartyUserId")) {
        (Some(id), Some(user_id)) => {
            Some(AccountInfo::ThirdParty(ThirdPartyAccount { id: id.into_owned(), user_id: user_id.into_owned() }))
        }
        (None, None) => None,
        _ => {
            let sentence = "If 'thirdPartyId' is provided, 'thirdPartyUserId' must also be provided, and vice versa";
            return Err(ApiError::bad_request(sentence));
        }
    };
    let credential = query.optional("webauthnCredentialId").map(|id| LookUp::Credential(id.into_owned()));
    Ok([email, phone, account].into_iter().flatten().map(LookUp::Info).chain(credential).collect())
}
