//! `POST /recipe/user/passwordhash/import`.

use super::shared::{PersonBody, new_account};
use crate::command::emailpassword::import::{ImportHash, Imported};
use crate::context::Context;
use crate::domain::password::HashFamily;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;

pub(super) async fn import(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let email = body.string("email")?;
    let hash = body.string("passwordHash")?;
    let algorithm = body.optional_string("hashingAlgorithm")?;
    let hash = hash.trim();
    if hash.is_empty() {
        return Err(ApiError::bad_request("Password hash cannot be an empty string"));
    }
    let family = algorithm.as_deref().map(family).transpose()?;
    let account = new_account(call, &email)?;
    match (ImportHash { account, hash, family }).run(context).await? {
        Imported::Ok { person, existed } => {
            Ok(Reply::json(&PersonBody { did_user_already_exist: Some(existed), ..PersonBody::of(&person, call) }))
        }
        Imported::InvalidFormat => Err(ApiError::bad_request(
            family.map_or("Password hash is in invalid format", HashFamily::invalid_sentence),
        )),
    }
}

fn family(name: &str) -> Result<HashFamily, ApiError> {
    let name = name.trim().to_uppercase();
    if name.is_empty() {
        return Err(ApiError::bad_request("Hashing Algorithm cannot be an empty string"));
    }
    HashFamily::parse(&name).ok_or_else(|| ApiError::bad_request("Unsupported password hashing algorithm"))
}
