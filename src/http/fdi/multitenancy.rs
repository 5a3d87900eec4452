//! `GET /loginmethods`: how people may sign in to a tenant (protocol: 21, 10).

use super::call::FrontCall;
use super::error::FrontError;
use super::route::FrontRoute;
use super::{input, reply};
use crate::command::signing_in::first_factors;
use crate::command::thirdparty::providers::{ListProviders, ProviderSummary};
use crate::config::front::FrontRecipe;
use crate::context::Context;
use crate::domain::tenancy::Recipe;
use crate::front_route;
use crate::http::exchange::Reply;
use serde::Serialize;
use std::borrow::Cow;

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
    providers: Vec<ProviderBody>,
}

#[derive(Serialize)]
struct ProviderBody {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// The providers of the path's tenant that have a client for the caller. None of them is asked.
async fn providers(context: &Context, call: &FrontCall) -> Result<Vec<ProviderBody>, FrontError> {
    if !call.front.has(FrontRecipe::ThirdParty) {
        return Ok(Vec::new());
    }
    let client_type = input::query(&call.request, "clientType").map(Cow::into_owned);
    let command = ListProviders { scope: call.scope(), tenant: call.tenant.clone(), client_type };
    let found = command.run(context).await?;
    Ok(found.into_iter().map(|ProviderSummary { id, name }| ProviderBody { id, name }).collect())
}

async fn login_methods(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let tenant = call.existing_tenant()?;
    let first_factors = first_factors(&tenant, &call.front);
    let has = |recipe: Recipe| recipe.factors().iter().any(|factor| first_factors.iter().any(|first| first == factor));
    Ok(reply::ok(&LoginMethodsBody {
        status: "OK",
        email_password: Enabled { enabled: has(Recipe::EmailPassword) },
        third_party: ThirdParty { enabled: has(Recipe::ThirdParty), providers: providers(context, call).await? },
        passwordless: Enabled { enabled: has(Recipe::Passwordless) },
        webauthn: Enabled { enabled: first_factors.iter().any(|factor| factor == "webauthn") },
        first_factors,
    }))
}
