//! `POST /recipe/signup`.

use super::shared::{new_account, require_password, signed_in};
use crate::command::emailpassword::sign_up::{SignUp, SignedUp};
use crate::context::Context;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;

pub(super) async fn sign_up(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let email = body.string("email")?;
    let password = body.string("password")?;
    require_password(&password)?;
    let account = new_account(call, &email)?;
    Ok(match (SignUp { account, password: &password, metadata: None, session: None }).run(context).await? {
        SignedUp::Ok(signed) => signed_in(&signed.person, call),
        SignedUp::EmailTaken => Reply::status("EMAIL_ALREADY_EXISTS_ERROR"),
    })
}
