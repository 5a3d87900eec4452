//! Where the gate sends browsers.

use crate::config::front::FrontConfig;
use crate::domain::local_path::LocalPath;
use crate::domain::origin::Origin;
use crate::http::exchange::Reply;
use crate::http::fdi::cookie::COMPONENT;
use crate::http::fdi::tokens::REFRESH_PATH;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use percent_encoding::utf8_percent_encode;

/// The parameter with the page to which a bounce leads back, as the SDKs name it.
pub const BACK: &str = "stRedirectTo";

/// A redirect that nobody keeps.
#[must_use]
pub fn redirect(to: &str) -> Reply {
    let mut reply = Reply::empty(StatusCode::FOUND).not_stored();
    // invariant: a path of ours, with what comes from a request percent-encoded or a `LocalPath`
    if let Ok(location) = HeaderValue::try_from(to) {
        reply.headers.push((LOCATION, location));
    }
    reply
}

/// The path that refreshes a session and leads back to this page, on the host that the browser is on.
#[must_use]
pub fn bounce(front: &FrontConfig, back: &LocalPath) -> String {
    format!("{}{REFRESH_PATH}?{BACK}={}", front.api.prefix(), utf8_percent_encode(back.as_str(), COMPONENT))
}

/// A page of the website for somebody who came to `back` on a host of `origin`: there, if the website is there, too, and
/// with the way back; else on the first website. `parameters`: empty, or as in a query.
#[must_use]
pub fn page(front: &FrontConfig, origin: &Origin, path: &str, parameters: &str, back: &LocalPath) -> String {
    let websites = &front.websites;
    let is_here = websites.iter().any(|website| website == origin);
    let elsewhere = websites.first().filter(|_| !is_here);
    let base = format!("{}{path}", websites.base_path);
    let base = if base.is_empty() { "/" } else { &base };
    let and = if parameters.is_empty() { "" } else { "&" };
    match elsewhere {
        // There, the way back would lead to another page.
        Some(website) if parameters.is_empty() => format!("{website}{base}"),
        Some(website) => format!("{website}{base}?{parameters}"),
        None => {
            let back = utf8_percent_encode(back.as_str(), COMPONENT);
            format!("{base}?{parameters}{and}redirectToPath={back}")
        }
    }
}
