//! `GET /loginmethods`: how people may sign in to a tenant (protocol: 21, 10).

use super::call::FrontCall;
use super::error::FrontError;
use super::reply;
use super::route::FrontRoute;
use crate::command::signing_in::first_factors;
use crate::context::Context;
use crate::domain::tenancy::Recipe;
use crate::front_route;
use crate::http::exchange::Reply;
use serde::Serialize;

/// Routes of this recipe.
pub const ROUTES: &[FrontRoute] = &[front_route!(GET "/loginmethods" => login_methods)];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoginMethodsBody {
    status: &'static str,
    email_password: Enabled,
    third_party: ThirdParty,
    passwordless: Enabled,
    webauthn: Enabled,
    first_factors: Vec<String>,
}

#[derive(Serialize)]
struct Enabled {
    enabled: bool,
}

#[derive(Serialize)]
struct ThirdParty {
    enabled: bool,
    providers: [(); 0],
}

async fn login_methods(_context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let tenant = call.existing_tenant()?;
    let first_factors = first_factors(&tenant, &call.front);
    let has = |recipe: Recipe| recipe.factors().iter().any(|factor| first_factors.iter().any(|first| first == factor));
    Ok(reply::ok(&LoginMethodsBody {
        status: "OK",
        email_password: Enabled { enabled: has(Recipe::EmailPassword) },
        third_party: ThirdParty { enabled: has(Recipe::ThirdParty), providers: [] },
        passwordless: Enabled { enabled: has(Recipe::Passwordless) },
        webauthn: Enabled { enabled: first_factors.iter().any(|factor| factor == "webauthn") },
        first_factors,
    }))
}
