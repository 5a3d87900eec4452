//! `POST /recipe/signinup`.

use super::shared::account;
use crate::command::thirdparty::sign_in_up::{SignInUp, SignedInUp};
use crate::context::Context;
use crate::domain::ids::UserId;
use crate::domain::tenancy::Recipe;
use crate::domain::user::normalise_email;
use crate::http::cdi::call::Call;
use crate::http::cdi::emailverification::shared::require_storable;
use crate::http::cdi::input::{Body, invalid_field};
use crate::http::cdi::user::object::UserObject;
use crate::http::cdi::version::Presence;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedInUpBody<'a> {
    status: &'static str,
    created_new_user: bool,
    user: UserObject<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipe_user_id: Option<&'a UserId>,
}

pub(super) async fn sign_in_up(context: &Context, call: &Call) -> Result<Reply, ApiError> {
    let body = Body::of(&call.request)?;
    let account = account(body.string("thirdPartyId")?, body.string("thirdPartyUserId")?);
    let email = body.object("email")?;
    let email = Body::parse(email.as_str().as_bytes()).map_err(|_| invalid_field("email"))?;
    let address = normalise_email(&email.string("id")?);
    let email_is_verified = match call.wire.provider_tells_verified {
        Presence::Required => email.bool("isVerified")?,
        Presence::Optional => email.optional_bool("isVerified")?.unwrap_or_default(),
        Presence::Ignored => false,
    };
    let scope = call.scope()?;
    call.require_recipe(Recipe::ThirdParty)?;
    require_storable(&address)?;
    let tenant = call.tenant.clone();
    let command = SignInUp { scope, tenant, account, email: address, email_is_verified, session: None };
    Ok(match command.run(context).await? {
        SignedInUp::Ok { signed, created } => {
            let person = &signed.person;
            let shown = person.info.user.shown(&person.recipe_user_id);
            Reply::json(&SignedInUpBody {
                status: "OK",
                created_new_user: created,
                user: UserObject::of(&person.info, &person.recipe_user_id, call.wire),
                recipe_user_id: call.wire.users_have_login_methods.then_some(shown),
            })
        }
        SignedInUp::EmailReserved => Reply::status_with_reason(
            "EMAIL_CHANGE_NOT_ALLOWED_ERROR",
            "Email already associated with another primary user.",
        ),
    })
}
