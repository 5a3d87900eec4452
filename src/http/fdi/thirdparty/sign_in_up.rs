//! `POST /signinup`: signs in whoever a provider vouches for.

use super::refusal;
use crate::command::emailverification::Address;
use crate::command::emailverification::status::IsEmailVerified;
use crate::command::thirdparty::find::FindByAccount;
use crate::command::thirdparty::provider_sign_in::{Proof, ProviderIdentity, ProviderSignIn};
use crate::command::thirdparty::refusal::ProviderRefusal;
use crate::command::thirdparty::sign_in_up::{SignInUp, SignedInUp};
use crate::command::user::Person;
use crate::config::front::FrontRecipe;
use crate::context::Context;
use crate::domain::ids::TenantId;
use crate::domain::json::Members;
use crate::domain::limits::LimitedAction;
use crate::domain::secret::Secret;
use crate::domain::thirdparty::exchange::{OAuthTokens, RedirectInfo};
use crate::domain::user::front_linking::EmailChange;
use crate::domain::user::{AccountInfo, MAX_EMAIL, RecipeId, ThirdPartyAccount};
use crate::fault::Fault;
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::Body;
use crate::http::fdi::limits;
use crate::http::fdi::reply;
use crate::http::fdi::sign_in::{ReasonCodes, SignInAttempt, SigningIn, linker, refused};
use crate::http::fdi::user::CreatedBody;
use serde_json::Value;

const FACTOR: &str = "thirdparty";
const STATUS: &str = "SIGN_IN_UP_NOT_ALLOWED";

const CODES: ReasonCodes = ReasonCodes {
    sign_in: Some(
        "Cannot sign in / up due to security reasons. Please try a different login method or contact support. \
         (ERR_CODE_004)",
    ),
    sign_up: Some(
        "Cannot sign in / up due to security reasons. Please try a different login method or contact support. \
         (ERR_CODE_006)",
    ),
    unverified: Some("020"),
    linked: Some("021"),
    taken: Some("022"),
    session_taken: Some("023"),
    ..ReasonCodes::new(STATUS)
};

const EMAIL_RISK: &str = "Cannot sign in / up because new email cannot be applied to existing account. Please contact \
                          support. (ERR_CODE_024)";
const EMAIL_TAKEN: &str = "Cannot sign in / up because new email cannot be applied to existing account. Please contact \
                           support. (ERR_CODE_005)";

pub(super) async fn sign_in_up(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let body = Body::of(&call.request)?;
    let missing = || FrontError::bad_request("Please provide the thirdPartyId in request body");
    let id = body.get("thirdPartyId").and_then(Value::as_str).ok_or_else(missing)?.to_owned();
    let proof = proof(&body)?;
    call.existing_tenant()?;
    // The provider is the one of the path's tenant, before the session's takes its place.
    let provider = ProviderSignIn {
        scope: call.scope(),
        tenant: call.tenant.clone(),
        third_party_id: id.clone(),
        client_type: body.get("clientType").and_then(Value::as_str).map(str::to_owned),
        proof,
        nonce: None,
    };
    provider.check(context).await?.map_err(|refusal| refusal::error(call, &id, &refusal))?;
    let signing_in = SigningIn::begin(context, call, &body).await?;
    limits::admit(context, call, LimitedAction::Code, None).await?;
    let identity = match provider.run(context).await? {
        Ok(identity) => identity,
        Err(ProviderRefusal::NoEmail) => return Ok(reply::status("NO_EMAIL_GIVEN_BY_PROVIDER")),
        Err(refusal) => return Err(refusal::error(call, &id, &refusal)),
    };
    if identity.email.len() > MAX_EMAIL {
        return Err(FrontError::bad_request("The provider's e-mail address is too long to be stored"));
    }
    sign_in(context, call, signing_in, identity).await
}

/// Signs the person in, once it is known who they are at the provider.
async fn sign_in(
    context: &Context,
    call: &mut FrontCall,
    mut signing_in: SigningIn,
    identity: ProviderIdentity,
) -> Result<Reply, FrontError> {
    let ProviderIdentity { third_party_id, user_id, email, is_verified, .. } = identity;
    let account = ThirdPartyAccount { id: third_party_id, user_id };
    let known = FindByAccount { scope: call.scope(), tenant: call.tenant.clone(), account: account.clone() }
        .run(context)
        .await?;
    let attempt = SignInAttempt {
        factors: &[FACTOR],
        recipe: RecipeId::ThirdParty,
        infos: &[AccountInfo::ThirdParty(account.clone()), AccountInfo::Email(email.clone())],
        user: known.as_ref(),
        is_verified: is_verified || has_verified(context, call, known.as_ref(), &email).await?,
        verifies: false,
        only_asks: false,
    };
    if let Err(refused) = signing_in.check(context, call, &attempt).await {
        return refused.reply(&CODES);
    }
    if let Some(person) = &known {
        let change = linker(call).check_email_change(context, &person.info, (&email, attempt.is_verified)).await?;
        match change {
            EmailChange::Allowed => {}
            EmailChange::Conflict => return Ok(refused(STATUS, EMAIL_TAKEN)),
            EmailChange::TakeoverRisk => return Ok(refused(STATUS, EMAIL_RISK)),
        }
    }
    if attempt.is_sign_up() {
        signing_in.ask_sign_up(context, call, &attempt, None).await?;
    }
    let (scope, tenant, session) = (call.scope(), call.tenant.clone(), signing_in.session_start(call, FACTOR));
    let command = SignInUp { scope, tenant, account, email, email_is_verified: is_verified, session };
    let SignedInUp::Ok { signed, created } = command.run(context).await? else {
        return Ok(refused(STATUS, EMAIL_TAKEN));
    };
    match signing_in.finish(context, call, (*signed, created), FACTOR).await {
        Ok(person) => {
            limits::succeed(context, call, LimitedAction::Code, None);
            Ok(reply::ok(&CreatedBody::of(&person, created, call.version())))
        }
        Err(refused) => refused.reply(&CODES),
    }
}

/// Whether a person has verified the address that the provider now reports, where the provider does not vouch for it.
async fn has_verified(context: &Context, call: &FrontCall, known: Option<&Person>, email: &str) -> Result<bool, Fault> {
    let Some(person) = known.filter(|_| call.front.has(FrontRecipe::EmailVerification)) else { return Ok(false) };
    let user_id = person.info.user.shown(&person.recipe_user_id).clone();
    let (tenant, email) = (TenantId::public(), email.to_owned());
    IsEmailVerified(Address { scope: call.scope(), tenant, user_id, email }).run(context).await
}

/// What the browser brings: how it came back, or tokens.
fn proof(body: &Body) -> Result<Proof, FrontError> {
    if let Some(info) = body.get("redirectURIInfo") {
        let sentence = "Please provide the redirectURIOnProviderDashboard in request body";
        let redirect_uri = info.get("redirectURIOnProviderDashboard").and_then(Value::as_str);
        let redirect_uri = redirect_uri.ok_or_else(|| FrontError::bad_request(sentence))?.to_owned();
        let verifier = info.get("pkceCodeVerifier").and_then(Value::as_str);
        return Ok(Proof::Redirect(RedirectInfo {
            redirect_uri,
            params: members(info.get("redirectURIQueryParams"))?,
            pkce_verifier: verifier.map(|verifier| Secret::new(verifier.to_owned())),
        }));
    }
    let tokens = body.get("oAuthTokens").ok_or_else(|| {
        FrontError::bad_request("Please provide one of redirectURIInfo or oAuthTokens in the request body")
    })?;
    Ok(Proof::Tokens(OAuthTokens::of(members(Some(tokens))?)))
}

fn members(value: Option<&Value>) -> Result<Members, FrontError> {
    let text = value.unwrap_or(&Value::Null).to_string();
    Members::parse(&text).map_err(|_| FrontError::bad_request("The provider's parameters must be a JSON object"))
}
