//! How often something may be asked for (decision 92). Each route that guesses, sends or hashes calls [`admit`] before
//! it does, and [`succeed`] once the person has shown that they may.

use super::call::FrontCall;
use super::error::FrontError;
use crate::command::audit::NoteLimitReached;
use crate::context::Context;
use crate::domain::limits::{ActionLimits, LimitedAction, LimitedBy};
use crate::domain::passwordless::Contact;
use crate::domain::user::country_of;
use crate::http::client_address::has_passed_proxy;
use crate::http::error::ApiError;
use crate::outbound::http::is_public;
use crate::state::rate_limits::{LimitReached, LimitedRequest};
use std::sync::Once;

/// Counts a request that names this account: an address, normalised, or a user's id, existing or not.
///
/// # Errors
/// 429 when a limit is reached; then the request is counted nowhere, and must change nothing.
pub async fn admit(
    context: &Context,
    call: &FrontCall,
    action: LimitedAction,
    account: Option<&str>,
) -> Result<(), FrontError> {
    admit_counted(context, call, &Counted { action, account, country: None }).await
}

/// Counts a request for a message to this contact.
///
/// # Errors
/// As [`admit`].
pub async fn admit_message(context: &Context, call: &FrontCall, contact: &Contact) -> Result<(), FrontError> {
    let country = contact.phone_number().and_then(country_of);
    let counted = Counted { action: action_of(contact), account: Some(contact.text()), country: country.as_deref() };
    admit_counted(context, call, &counted).await
}

/// Notes that the person whose request was counted has shown that they may.
pub fn succeed(context: &Context, call: &FrontCall, action: LimitedAction, account: Option<&str>) {
    let limits = call.front.limits.of(action);
    let counted = Counted { action, account, country: None };
    context.limits.succeed(&counted.request(call, &limits));
}

/// Notes that a message has come back: its code or link was used.
pub fn succeed_message(context: &Context, call: &FrontCall, contact: &Contact) {
    succeed(context, call, action_of(contact), Some(contact.text()));
}

/// Notes that the account belongs to somebody at this address, who has just signed up.
pub fn familiarise(context: &Context, call: &FrontCall, account: &str) {
    let limits = ActionLimits::default();
    let counted = Counted { action: LimitedAction::SignUp, account: Some(account), country: None };
    context.limits.familiarise(&counted.request(call, &limits));
}

const fn action_of(contact: &Contact) -> LimitedAction {
    match contact {
        Contact::Email(_) => LimitedAction::Mail,
        Contact::PhoneNumber(_) => LimitedAction::Text,
    }
}

/// What a request is counted as.
struct Counted<'a> {
    action: LimitedAction,
    account: Option<&'a str>,
    country: Option<&'a str>,
}

impl<'a> Counted<'a> {
    fn request(&self, call: &'a FrontCall, limits: &'a ActionLimits) -> LimitedRequest<'a> {
        let Self { action, account, country } = *self;
        LimitedRequest { app: &call.app, limits, action, address: call.counted_address, account, country }
    }
}

async fn admit_counted(context: &Context, call: &FrontCall, counted: &Counted<'_>) -> Result<(), FrontError> {
    let limits = call.front.limits.of(counted.action);
    if call.counted_address.is_none() && limits.address.is_some() {
        context.metrics.limits.without_address.inc();
        warn_of_proxy(call);
    }
    let Err(reached) = context.limits.admit(&counted.request(call, &limits), context.steady()) else { return Ok(()) };
    context.metrics.limits.refuse(counted.action, reached.by);
    if reached.begins_burst {
        note(context, call, counted, &reached).await?;
    }
    Err(ApiError::TooManyRequests { sentence: sentence(reached.by), retry_after_s: reached.retry_after_s }.into())
}

/// Says, in the log and in the audit log, that requests are being refused.
async fn note(
    context: &Context,
    call: &FrontCall,
    counted: &Counted<'_>,
    reached: &LimitReached,
) -> Result<(), FrontError> {
    let limit = format!("{}.{}: {}", counted.action.name(), reached.by.name(), reached.rate);
    // The first ones concern everybody; the others, one address or account.
    match (reached.by, counted.country) {
        (LimitedBy::App, _) | (LimitedBy::Country, None) => {
            tracing::warn!(request = call.request.id, app = call.app.id.app_id, limit, "front_rate_limits: reached");
        }
        (LimitedBy::Country, Some(country)) => {
            let app = &call.app.id.app_id;
            tracing::warn!(request = call.request.id, app, limit, country, "front_rate_limits: reached");
        }
        // Many people may be behind an address that is not public.
        (LimitedBy::Address, _) if !is_public(call.client.to_canonical()) => {
            tracing::warn!(
                request = call.request.id,
                limit,
                address = %call.client,
                "front_rate_limits: reached; if the address is a proxy's, name it in trusted_proxies"
            );
        }
        _ => tracing::info!(request = call.request.id, limit, "front_rate_limits: reached"),
    }
    let tenant = call.app.tenant(&call.tenant).map(|tenant| tenant.id.clone());
    let (scope, account) = (call.scope(), counted.account);
    Ok(NoteLimitReached { scope: &scope, tenant: tenant.as_ref(), account, limit }.run(context).await?)
}

/// The same whether the account exists or not.
const fn sentence(by: LimitedBy) -> &'static str {
    match by {
        LimitedBy::Address => "Too many requests from this address",
        LimitedBy::AccountAtAddress | LimitedBy::Account => "Too many requests for this account",
        LimitedBy::Country | LimitedBy::App => "Too many requests",
    }
}

/// Says once that requests cannot be counted by address, unless that is development on this machine.
fn warn_of_proxy(call: &FrontCall) {
    static WARNED: Once = Once::new();
    if call.api.is_loopback() && !has_passed_proxy(&call.request) {
        return;
    }
    WARNED.call_once(|| {
        tracing::warn!(
            peer = %call.request.peer,
            "requests of the front door are not counted by address, because the proxy in front does not say whose they \
             are: name it in trusted_proxies, and let it send trusted_proxy_header"
        );
    });
}
