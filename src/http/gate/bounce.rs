//! `GET /session/refresh`: refreshes the session of a page load and leads back to the page (ours; the frontend SDK's
//! helpers have the like on the website's own server). No script is needed.
//!
//! The refresh token's cookie is sent to this path alone, so the gate cannot see it and sends browsers here.

use super::forwarded::{is_page_load, own_origin};
use super::places::{self, BACK};
use crate::config::front::AntiCsrf;
use crate::context::Context;
use crate::domain::anomaly::Anomaly;
use crate::domain::local_path::LocalPath;
use crate::domain::origin::Origin;
use crate::domain::time::UnixMillis;
use crate::http::error::ApiError;
use crate::http::exchange::{Reply, SEC_FETCH_SITE};
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::caller::Caller;
use crate::http::fdi::cookie::Cookies;
use crate::http::fdi::error::FrontError;
use crate::http::fdi::input::query;
use crate::http::fdi::session::{SharedRefresh, refresh_shared};
use crate::http::fdi::tenant_host::Pages;
use crate::http::fdi::tokens::BOUNCES_COOKIE;
use crate::http::fdi::watch;
use crate::metrics::BounceOutcome;
use http::{HeaderName, HeaderValue, StatusCode};

/// How often a browser may come back within [`WINDOW_S`].
const MOST: u32 = 5;
/// How long a row of bounces counts, in s.
const WINDOW_S: u64 = 10;
/// How long the cookie that counts them is kept, in ms.
const KEPT_MS: u64 = 24 * 3_600_000;

/// Where the request goes (Fetch Metadata): a page of its own, or a frame.
static SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// The parameter of a request that has been asked to come again from our own page.
const AGAIN: &str = "again";

const BAD_TARGET: &str = "stRedirectTo must be a path on this host, such as /account?tab=1";
const NO_PAGE_LOAD: &str = "This address refreshes sessions of page loads: scripts send POST";
const FOREIGN: &str = "Page loads of foreign pages are refused here";
const LOOP: &str = "Your session was refreshed several times in a row, and the page still asks for it. Please try again \
                    later, or tell the people who run this site: sessiond doctor says more.";

pub(super) async fn bounce(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    let answered = answer(context, call).await;
    let outcome = match &answered {
        Ok((_, outcome)) => *outcome,
        Err(FrontError::Api(ApiError::Forbidden(_) | ApiError::BadRequest(_))) => BounceOutcome::Refused,
        Err(_) => BounceOutcome::Failed,
    };
    context.metrics.bounces.count(outcome);
    answered.map(|(reply, _)| reply)
}

async fn answer(context: &Context, call: &mut FrontCall) -> Result<(Reply, BounceOutcome), FrontError> {
    let back = target(call)?;
    let own = own_origin(&call.request, &context.directory.base().trusted_proxies, &call.api);
    match source(call, &own) {
        Source::Own => {}
        Source::Foreign if query(&call.request, AGAIN).is_none() => {
            return Ok((again(call, &back), BounceOutcome::Repeated));
        }
        Source::Foreign => return Err(ApiError::forbidden(FOREIGN).into()),
        Source::NoPageLoad => return Err(ApiError::forbidden(NO_PAGE_LOAD).into()),
    }
    if !count(context.now(), call) {
        watch::note(context, call, Anomaly::GateLoop, own.to_string().as_str());
        call.tokens.set_bounces(&call.rules, "", UnixMillis(0));
        let reply = Reply::text(StatusCode::INTERNAL_SERVER_ERROR, LOOP).not_stored();
        return Ok((reply, BounceOutcome::Looped));
    }
    let sign_in = places::redirect(&places::page(&call.front, &own, "", "", &back));
    // A page load can neither send such a token nor read a new one; the frontend SDK on the page can.
    if call.front.session.anti_csrf_for(call.is_cross_site) == AntiCsrf::Token {
        return Ok((sign_in, BounceOutcome::NeedsScript));
    }
    match refresh_shared(context, call).await {
        Ok(shared) => {
            call.tokens.mirror_front_token(&call.rules);
            let outcome = match shared {
                SharedRefresh::First => BounceOutcome::Refreshed,
                SharedRefresh::Later => BounceOutcome::Shared,
            };
            Ok((places::redirect(back.as_str()), outcome))
        }
        // The gate sends the browser here once more, with one cookie of each name.
        Err(FrontError::ClearedDuplicateCookies) => Ok((places::redirect(back.as_str()), BounceOutcome::Repeated)),
        Err(error) if error.clears_tokens() => {
            call.tokens.clear_all(&call.rules);
            call.tokens.mirror_front_token(&call.rules);
            Ok((sign_in, BounceOutcome::SignedOut))
        }
        Err(error) => Err(error),
    }
}

/// The page to lead back to; never this route itself.
fn target(call: &FrontCall) -> Result<LocalPath, FrontError> {
    let Some(text) = query(&call.request, BACK) else { return Ok(LocalPath::root()) };
    let page = LocalPath::parse(&text).ok_or_else(|| FrontError::bad_request(BAD_TARGET))?;
    let is_here = page.path().starts_with(&call.rules.refresh_path());
    Ok(if is_here { LocalPath::root() } else { page })
}

/// What led a browser here.
enum Source {
    /// A page of this host or of a website, or the person.
    Own,
    /// A page of strangers, which may have led to a page of ours by a link.
    Foreign,
    /// Nothing that a person sees.
    NoPageLoad,
}

fn source(call: &FrontCall, own: &Origin) -> Source {
    let request = &call.request;
    let fetch_site = request.header(&SEC_FETCH_SITE);
    if fetch_site.is_some() && !is_page_load(request) {
        return Source::NoPageLoad;
    }
    let is_foreign = match fetch_site {
        Some("same-origin" | "none") => false,
        _ => Caller::of(request, Pages { api: own, host: None, ..call.pages() }) == Caller::Foreign,
    };
    match request.header(&SEC_FETCH_DEST) {
        _ if !is_foreign => Source::Own,
        // A stranger's frame.
        Some(dest) if dest != "document" => Source::NoPageLoad,
        _ => Source::Foreign,
    }
}

/// Leads a browser here again from a page of our own, which a stranger's page cannot do: what it sends then is not the
/// stranger's request. Cookies with `SameSite=Strict` come along, too.
fn again(call: &FrontCall, back: &LocalPath) -> Reply {
    let here = format!("{}&amp;{AGAIN}=1", places::bounce(&call.front, back));
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><meta http-equiv=\"refresh\" content=\"0;url={here}\"><title>One moment</title>\
         <p><a href=\"{here}\">Continue</a>"
    );
    let mut reply = Reply::bare(StatusCode::OK, "text/html; charset=utf-8", html.into()).not_stored();
    let headers = [
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
        ("referrer-policy", "same-origin"),
    ];
    let headers = headers.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    reply.headers.extend(headers);
    reply
}

/// Counts a bounce in the browser; false if there were too many in a row. A gate that does not see the new cookies would
/// send it here for ever.
fn count(now: UnixMillis, call: &mut FrontCall) -> bool {
    let counted = Cookies::of(&call.request.headers).get(BOUNCES_COOKIE);
    let row = counted.as_deref().and_then(|text| text.split_once('.'));
    let row = row.and_then(|(count, began)| Some((count.parse::<u32>().ok()?, began.parse::<u64>().ok()?)));
    let (count, began) = row
        .filter(|(_, began)| now.seconds().checked_sub(*began).is_some_and(|age| age < WINDOW_S))
        .unwrap_or((0, now.seconds()));
    if count >= MOST {
        return false;
    }
    // Kept for longer than it counts: clocks of browsers are wrong.
    let value = format!("{}.{began}", count.saturating_add(1));
    call.tokens.set_bounces(&call.rules, &value, now.plus(KEPT_MS));
    true
}
