//! `POST /recipe/signin`.

use super::shared::{account, signed_in};
use crate::command::emailpassword::sign_in::{SignIn, SignedIn};
use crate::context::Context;
use crate::domain::tenancy::Recipe;
use crate::http::cdi::call::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;

pub(super) async fn sign_in(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let email = body.string("email")?;
    let password = body.string("password")?;
    let account = account(call, &email)?;
    call.require_recipe(Recipe::EmailPassword)?;
    let command = SignIn { account, password: &password, looked_up: None, session: None };
    Ok(match command.run(context).await? {
        SignedIn::Ok(signed) => signed_in(&signed.person, call),
        SignedIn::WrongCredentials => Reply::status("WRONG_CREDENTIALS_ERROR"),
    })
}
