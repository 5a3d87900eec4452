//! Who sends a request, in headers for the application behind the proxy.
//!
//! Every header is always there, empty where nothing is known: a proxy replaces only what the gate sends, and a
//! visitor's own would reach the application otherwise.

use super::forwarded::Forwarded;
use crate::command::claims::email_of;
use crate::command::session::identity::CreateIdentityToken;
use crate::context::Context;
use crate::domain::session::SessionView;
use crate::domain::session::claims::SessionClaims;
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::http::fdi::call::FrontCall;
use crate::http::fdi::session::Inspected;
use crate::state::identities::Identity;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::sync::Arc;

/// How long an identity token is valid, in s: a request's way through an application, and clocks that are apart.
const VALIDITY_S: u64 = 60;
/// For how long one is handed out again, in ms.
const REUSED_MS: u64 = 30_000;

/// What is percent-encoded in a header: everything but visible ASCII, what separates the items of a list, and what
/// proxies expand.
const UNSAFE: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b',').add(b'{').add(b'}');

/// The names of the headers beside `Authorization`.
pub static HEADERS: [HeaderName; 9] = [
    HeaderName::from_static("x-sessiond-user-id"),
    HeaderName::from_static("x-sessiond-recipe-user-id"),
    HeaderName::from_static("x-sessiond-tenant-id"),
    HeaderName::from_static("x-sessiond-session-handle"),
    HeaderName::from_static("x-sessiond-email"),
    HeaderName::from_static("x-sessiond-email-verified"),
    HeaderName::from_static("x-sessiond-roles"),
    HeaderName::from_static("x-sessiond-permissions"),
    HeaderName::from_static("x-sessiond-factors"),
];

/// Who a session belongs to, as the application is told.
pub struct Asking<'a> {
    /// What is needed to ask.
    pub context: &'a Context,
    /// The gate's call.
    pub call: &'a FrontCall,
    /// The request that it is about.
    pub asked: &'a Forwarded,
    /// The session of that request.
    pub found: &'a Inspected,
}

impl Asking<'_> {
    /// What the token says. It is the same for every request with the token for a while.
    ///
    /// # Errors
    /// When a key fails.
    pub async fn by_token(&self) -> Result<Arc<Identity>, Fault> {
        let now = self.context.now();
        // A signature is that of one text alone, and this one was checked.
        let signature = self.found.access_token.rsplit('.').next().unwrap_or_default();
        let key = format!("{} {} {signature}", self.call.app.serial, self.asked.origin);
        if let Some(known) = self.context.identities.get(&key, now) {
            return Ok(known);
        }
        let identity = Arc::new(self.identity(&self.found.view, None, now).await?);
        self.context.identities.put(key, Arc::clone(&identity));
        Ok(identity)
    }

    /// What the store says: `view` has the claims as they are stored.
    ///
    /// # Errors
    /// When a key or the store fails.
    pub async fn by_store(&self, view: &SessionView) -> Result<Identity, Fault> {
        let email = email_of(self.context, &self.call.scope(), &view.recipe_user_id).await?.flatten();
        self.identity(view, email, self.context.now()).await
    }

    async fn identity(&self, view: &SessionView, email: Option<String>, now: UnixMillis) -> Result<Identity, Fault> {
        let claims = SessionClaims::read(&view.user_data_in_jwt);
        let left_s = now.until(self.found.expires).div_ceil(1000);
        let command = CreateIdentityToken {
            scope: self.call.scope(),
            session: view,
            issuer: &self.call.issuer(),
            audience: &self.asked.origin.to_string(),
            validity_s: left_s.clamp(1, VALIDITY_S),
            use_static_signing_key: !self.call.front.session.use_dynamic_key,
        };
        let token = command.run(self.context).await?;
        let mut headers = Vec::with_capacity(HEADERS.len() + 1);
        headers.push((AUTHORIZATION, value(&format!("Bearer {}", token.expose()))));
        let values = HEADERS.iter().cloned().zip(values(view, &claims, email.as_deref()));
        headers.extend(values.map(|(name, text)| (name, value(&text))));
        Ok(Identity { claims, headers, from: now, until: now.plus(REUSED_MS) })
    }
}

/// The values of [`HEADERS`].
fn values(view: &SessionView, claims: &SessionClaims, email: Option<&str>) -> [String; HEADERS.len()] {
    let factors = claims.factors.as_ref().map(|factors| factors.completed().collect::<Vec<_>>()).unwrap_or_default();
    [
        encoded(view.user_id.as_str()),
        encoded(view.recipe_user_id.as_str()),
        encoded(view.handle.tenant.as_str()),
        view.handle.to_string(),
        encoded(email.unwrap_or_default()),
        claims.email_verified.map_or_else(String::new, |is_verified| is_verified.to_string()),
        list(claims.roles.iter().map(String::as_str)),
        list(claims.permissions.iter().map(String::as_str)),
        list(factors.into_iter()),
    ]
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, UNSAFE).to_string()
}

fn list<'t>(items: impl Iterator<Item = &'t str>) -> String {
    items.map(encoded).collect::<Vec<_>>().join(",")
}

/// A header's value; empty if it cannot be one, which percent-encoded text always can.
fn value(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(const { HeaderValue::from_static("") })
}
