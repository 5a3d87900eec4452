//! `GET /gate`: whether a request that a proxy has received may pass. It decides from the token and, when asked, from
//! the database; it writes nothing and sets no cookies.

use super::forwarded::{Forwarded, Misuse};
use super::identity::Asking;
use super::refusal::{MISUSED, Refusal};
use crate::command::session::list::FindSession;
use crate::config::front::{FrontRecipe, TokenTransfer};
use crate::context::Context;
use crate::domain::anomaly::Anomaly;
use crate::domain::gate::{Candidate, Requirements};
use crate::domain::session::SessionView;
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::http::error::ApiError;
use crate::http::exchange::Reply;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::caller::Caller;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::reply;
use crate::http::fdi::session::{Inspected, inspect};
use crate::http::fdi::tenant_host::Pages;
use crate::http::fdi::watch;
use crate::metrics::GateOutcome;
use crate::state::identities::Identity;
use http::StatusCode;
use std::sync::Arc;

pub(super) async fn check(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    // Proxies keep visitors from this one path; other routes also have a slash at the end.
    if call.request.path.ends_with('/') {
        return Err(FrontError::NotFound);
    }
    let proxies = &context.directory.base().trusted_proxies;
    let question = Forwarded::of(&call.request, proxies).and_then(|asked| Ok((requirements(call, &asked)?, asked)));
    let answered = match &question {
        Ok((required, asked)) => answer(context, call, required, asked).await,
        Err(misuse) => Ok((refuse(context, call, misuse), GateOutcome::Misused)),
    };
    let (reply, outcome) = answered.inspect_err(|_| context.metrics.gate.count(GateOutcome::Failed))?;
    context.metrics.gate.count(outcome);
    Ok(reply)
}

/// What the address of the gate requires, and what the app's settings do of every session (protocol: 20, 7.3).
fn requirements(call: &FrontCall, asked: &Forwarded) -> Result<Requirements, Misuse> {
    let mut required =
        Requirements::parse(&call.request.query, &asked.query).map_err(|flaw| match flaw.is_of_page {
            true => Misuse::PageQuery(flaw.sentence),
            false => Misuse::Query(flaw.sentence),
        })?;
    let front = &call.front;
    required.is_verified |= front.requires_verified_email && front.has(FrontRecipe::EmailVerification);
    required.has_second_factor |= front.has(FrontRecipe::MultiFactorAuth);
    if !call.tenant.is_public() {
        required.tenants.push(vec![call.tenant.clone()]);
    }
    Ok(required)
}

async fn answer(
    context: &Context,
    call: &FrontCall,
    required: &Requirements,
    asked: &Forwarded,
) -> Result<(Reply, GateOutcome), Fault> {
    match decide(context, call, required, asked).await {
        Ok(identity) => {
            let headers = identity.headers.clone();
            let reply = Reply { headers, ..Reply::empty(StatusCode::OK) };
            Ok((reply.not_stored(), GateOutcome::Allowed))
        }
        Err(Refusal::Session(FrontError::Api(ApiError::Internal(fault)))) => Err(fault),
        Err(refusal) => Ok(refusal.reply(&call.front, asked, required.is_status_only)),
    }
}

async fn decide<'r>(
    context: &Context,
    call: &FrontCall,
    required: &'r Requirements,
    asked: &Forwarded,
) -> Result<Arc<Identity>, Refusal<'r>> {
    let found = inspect(context, call, &asked.method, required.checks_database).await.map_err(Refusal::Session)?;
    let found = found.ok_or(Refusal::Session(FrontError::NO_SESSION))?;
    refuse_foreign(call, asked, &found).map_err(Refusal::Session)?;
    let asking = Asking { context, call, asked, found: &found };
    let (identity, began) = if required.needs_database() {
        let (view, began) = stored(context, call, &found).await.map_err(Refusal::Session)?;
        (Arc::new(asking.by_store(&view).await.map_err(failed)?), Some(began))
    } else {
        (asking.by_token().await.map_err(failed)?, None)
    };
    let candidate = Candidate { claims: &identity.claims, tenant: &found.view.handle.tenant, began };
    match required.unmet(candidate, context.now()) {
        Some(unmet) => Err(Refusal::Unmet(unmet)),
        None => Ok(identity),
    }
}

fn failed<'r>(fault: Fault) -> Refusal<'r> {
    Refusal::Session(fault.into())
}

/// Refuses what a page of strangers may have sent in the person's name. `SameSite` does not keep sub-domains out, and
/// browsers open WebSockets to everywhere.
fn refuse_foreign(call: &FrontCall, asked: &Forwarded, found: &Inspected) -> Result<(), FrontError> {
    if found.transfer == TokenTransfer::Cookie && asked.acts() {
        Caller::of(&call.request, Pages { api: &asked.origin, host: None, ..call.pages() }).check()?;
    }
    Ok(())
}

/// The session with its claims as they are stored, and when it began.
async fn stored(
    context: &Context,
    call: &FrontCall,
    found: &Inspected,
) -> Result<(SessionView, UnixMillis), FrontError> {
    let handle = found.view.handle.to_string();
    let info = FindSession { scope: call.scope(), handle: &handle }.run(context).await?;
    let info = info.ok_or(FrontError::UNAUTHORISED)?;
    Ok((SessionView { user_data_in_jwt: info.user_data_in_jwt, ..SessionView::clone(&found.view) }, info.time_created))
}

/// The reply to a question that is wrong in itself. It opens no door, and the operator hears of it.
fn refuse(context: &Context, call: &FrontCall, misuse: &Misuse) -> Reply {
    let sentence = misuse.to_string();
    let request = &call.request.id;
    match misuse {
        Misuse::Query(flaw) => {
            tracing::error!(request, route = call.label, "{sentence}");
            watch::note(context, call, Anomaly::GateAskedWrongly, flaw);
        }
        Misuse::Missing(name) => {
            tracing::error!(request, route = call.label, "{sentence}");
            watch::note(context, call, Anomaly::GateAskedWrongly, &format!("no {name} header"));
        }
        Misuse::UntrustedProxy(peer) if watch::is_near(*peer) => {
            tracing::warn!(request, route = call.label, "{sentence}");
            watch::note(context, call, Anomaly::GateProxyNotTrusted, &peer.to_string());
        }
        // Visitors can cause these.
        Misuse::UntrustedProxy(_) | Misuse::PageQuery(_) | Misuse::Contradiction(..) => {
            tracing::debug!(request, route = call.label, "{sentence}");
        }
    }
    let status = if matches!(misuse, Misuse::Contradiction(..)) { StatusCode::FORBIDDEN } else { MISUSED };
    reply::message(status, &sentence).not_stored()
}
