//! `POST /recipe/signin`.

use super::{account, signed_in};
use crate::app::App;
use crate::command::emailpassword::sign_in::{SignIn, SignedIn};
use crate::domain::tenancy::Recipe;
use crate::http::cdi::Call;
use crate::http::cdi::input::Body;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use std::net::IpAddr;

pub(super) async fn sign_in(app: &App, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let email = body.string("email")?;
    let password = body.string("password")?;
    let account = account(call, &email)?;
    call.require_recipe(Recipe::EmailPassword)?;
    let command = SignIn { account, password: &password, address: client_address(call) };
    Ok(match command.run(app).await? {
        SignedIn::Ok(person) => signed_in(&person, call),
        SignedIn::WrongCredentials => Reply::status("WRONG_CREDENTIALS_ERROR"),
    })
}

/// The address of the person, where the application passes it on. The connection's own is the application's.
pub(in crate::http::cdi) fn client_address(call: &Call) -> Option<IpAddr> {
    let header = call.app.config.brute_force_address_header.as_str();
    let mut values = call.request.headers.get_all(header).iter();
    match (values.next(), values.next()) {
        (Some(only), None) => only.to_str().ok()?.trim().parse().ok(),
        _ => None,
    }
}
