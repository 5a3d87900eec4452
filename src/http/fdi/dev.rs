//! `GET /dev/mail` and `GET /dev/mail.json`: mails and text messages that were caught because no server is configured to
//! send them.
//!
//! They hold living tokens, so the routes exist for development only: on a front door without an address beyond this
//! machine, or a server in test mode. Even there they answer only this machine's own programs and address bars, under a
//! name that no outsider can own, and never through a proxy.

use super::call::FrontCall;
use super::caller::Caller;
use super::error::FrontError;
use super::reply;
use super::route::FrontRoute;
use crate::context::Context;
use crate::domain::loopback;
use crate::front_route;
use crate::http::client_address::has_passed_proxy;
use crate::http::exchange::{Reply, Request};
use crate::http::host::Host;
use crate::outbound::mail::CaughtMailView;
use http::{HeaderName, StatusCode};
use std::fmt::Write;

/// Routes of this module.
pub const ROUTES: &[FrontRoute] = &[front_route!(GET "/dev/mail.json" => list), front_route!(GET "/dev/mail" => page)];

async fn list(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    check(context, call)?;
    Ok(reply::ok(&caught(context, call)))
}

async fn page(context: &Context, call: &mut FrontCall) -> Result<Reply, FrontError> {
    check(context, call)?;
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Caught mail</title><h1>Caught mail</h1>",
    );
    let mails = caught(context, call);
    if mails.is_empty() {
        html.push_str(
            "<p>Nothing has been written yet. Mails appear here as long as smtp_host is not set, and text messages as \
             long as no service for them is.</p>",
        );
    }
    for mail in mails.iter().rev() {
        // invariant: writing to a string does not fail
        let _ = write!(html, "<h2>{}</h2><p>To {}</p><pre>", escaped(&mail.subject), escaped(&mail.to));
        html.push_str(&escaped(&mail.text));
        html.push_str("</pre>");
        if let Some(link) = &mail.link {
            let link = escaped(link);
            let _ = write!(html, "<p><a href=\"{link}\">{link}</a></p>");
        }
    }
    let headers = [
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
        ("referrer-policy", "no-referrer"),
    ];
    let mut reply = Reply::bare(StatusCode::OK, "text/html; charset=utf-8", html.into());
    for (name, value) in headers {
        reply.headers.push((HeaderName::from_static(name), http::HeaderValue::from_static(value)));
    }
    Ok(reply.not_stored())
}

/// The app's mails, oldest first.
fn caught(context: &Context, call: &FrontCall) -> Vec<CaughtMailView> {
    let id = &call.app.id;
    let is_its =
        |mail: &CaughtMailView| mail.app_id == id.app_id && mail.connection_uri_domain == id.connection_uri_domain;
    context.mailer.caught.list().into_iter().rev().filter(is_its).collect()
}

/// 404 for everybody else, as if the routes did not exist.
fn check(context: &Context, call: &FrontCall) -> Result<(), FrontError> {
    let is_development = call.api.is_loopback() || context.directory.base().test_mode;
    let is_near = call.request.peer.to_canonical().is_loopback()
        && !has_passed_proxy(&call.request)
        && has_own_name(&call.request);
    let is_page_of_others = !matches!(call.caller, Caller::Unknown | Caller::Own);
    match is_development && is_near && !is_page_of_others {
        true => Ok(()),
        false => Err(FrontError::NotFound),
    }
}

fn has_own_name(request: &Request) -> bool {
    matches!(Host::of(request), Ok(Some(host)) if loopback::is_loopback(host.as_str()))
}

/// Text in HTML.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            other => html.push(other),
        }
    }
    html
}
