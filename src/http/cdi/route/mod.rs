//! Routes: a const table per recipe, joined once, with duplicates refused at start-up; looked up by exact path.
//!
//! Path grammar (CDI: common rules): `<base_path>/[appid-<app>/][<tenant>/]<api path>[/]`, case-insensitive. No path
//! of the protocol has a variable, so a hash look-up of the path, then of the path without its first and without its
//! first two segments, finds every route.

mod path;

use crate::context::Context;
use crate::http::cdi::call::{Call, CallRoute, Reach};
use crate::http::cdi::version::CdiVersion;
use crate::http::error::ApiError;
use crate::http::exchange::{Reply, Verb};
use futures_util::future::BoxFuture;
use http::Method;
pub use path::{Prefix, prefix_of_unknown};
use path::{after_first_segment, decode_unreserved, peel};
use std::borrow::Cow;
use std::collections::HashMap;

/// A handler: decode, run the command, encode.
pub type Handler = for<'a> fn(&'a Context, &'a Call) -> BoxFuture<'a, Result<Reply, ApiError>>;

/// One method of one path in one range of versions.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The method.
    pub verb: Verb,
    /// The path without prefixes, lower case, no trailing slash; empty for the root.
    pub path: &'static str,
    /// Method and path, such as `POST /recipe/session`: for logs, metrics and timelines.
    pub label: &'static str,
    /// The `rid` header that requests must have. A route without one serves every rid that no other route names.
    pub rid: Option<&'static str>,
    /// First version that has the route. `None`: all; the original does not hide new routes from old callers.
    pub since: Option<CdiVersion>,
    /// First version that no longer has it (404).
    pub until: Option<CdiVersion>,
    /// How the route treats a tenant in the path.
    pub reach: Reach,
    /// Whether an API key is needed, if any is configured.
    pub key: bool,
    /// Whether it is open to everyone, web pages included: it reveals nothing and changes nothing.
    pub public: bool,
    /// Largest body in bytes, if above the limit for other routes.
    pub body_limit: Option<usize>,
    /// Whether the version must be in the supported list.
    pub version: bool,
    /// The reply for an app that does not exist; `None` for the usual 400.
    pub without_app: Option<fn() -> Reply>,
    /// The handler to run.
    pub handler: Handler,
}

/// A route on one line: `route!(POST "/recipe/session", Tenant => create::create)`, refined by [`Route`]'s methods.
#[macro_export]
macro_rules! route {
    ($verb:ident $path:literal, $reach:ident => $handler:path) => {{
        fn boxed<'a>(
            context: &'a $crate::context::Context,
            call: &'a $crate::http::cdi::call::Call,
        ) -> futures_util::future::BoxFuture<'a, Result<$crate::http::exchange::Reply, $crate::http::error::ApiError>>
        {
            Box::pin($handler(context, call))
        }
        $crate::http::cdi::route::Route::new(
            $crate::http::exchange::Verb::$verb,
            $path,
            concat!(stringify!($verb), " ", $path),
            $crate::http::cdi::call::Reach::$reach,
            boxed,
        )
    }};
}

impl From<&Route> for CallRoute {
    fn from(route: &Route) -> Self {
        Self { label: route.label, reach: route.reach }
    }
}

impl Route {
    /// Used by [`route!`].
    pub const fn new(verb: Verb, path: &'static str, label: &'static str, reach: Reach, handler: Handler) -> Self {
        Self {
            verb,
            path,
            label,
            rid: None,
            since: None,
            until: None,
            reach,
            key: true,
            public: false,
            body_limit: None,
            version: true,
            without_app: None,
            handler,
        }
    }

    /// Restricts the route to this version and later ones.
    #[must_use]
    pub const fn since(mut self, first: CdiVersion) -> Self {
        self.since = Some(first);
        self
    }

    /// Makes the route answer 404 from this version on.
    #[must_use]
    pub const fn until(mut self, first_without: CdiVersion) -> Self {
        self.until = Some(first_without);
        self
    }

    /// Restricts the route to this `rid`.
    #[must_use]
    pub const fn rid(mut self, rid: &'static str) -> Self {
        self.rid = Some(rid);
        self
    }

    /// Opens the route to callers without an API key.
    #[must_use]
    pub const fn without_key(mut self) -> Self {
        self.key = false;
        self
    }

    /// Opens the route to callers without an API key, web pages included.
    #[must_use]
    pub const fn public(self) -> Self {
        Self { public: true, ..self.without_key() }
    }

    /// Sets the largest body in bytes, whatever the limit for other routes.
    #[must_use]
    pub const fn body_up_to(mut self, bytes: usize) -> Self {
        self.body_limit = Some(bytes);
        self
    }

    /// Sets the reply for an unknown app, instead of the usual 400.
    #[must_use]
    pub const fn without_app(mut self, reply: fn() -> Reply) -> Self {
        self.without_app = Some(reply);
        self
    }

    /// Accepts any well-formed version within the app's bounds.
    #[must_use]
    pub const fn without_version(mut self) -> Self {
        self.version = false;
        self
    }

    fn serves(&self, version: CdiVersion) -> bool {
        self.since.is_none_or(|first| version >= first) && self.until.is_none_or(|end| version < end)
    }

    fn overlaps(&self, other: &Self) -> bool {
        let starts_before_end = |a: &Self, b: &Self| match (a.since, b.until) {
            (Some(start), Some(end)) => start < end,
            _ => true,
        };
        self.verb == other.verb
            && self.rid == other.rid
            && starts_before_end(self, other)
            && starts_before_end(other, self)
    }
}

/// Two routes that could serve the same request.
#[derive(Debug, thiserror::Error)]
#[error("two routes for {label} share an rid and a version")]
pub struct Duplicate {
    /// Its method and path.
    pub label: &'static str,
}

/// All routes.
pub struct Table {
    base_path: String,
    paths: HashMap<&'static str, Vec<Mounted>>,
    count: usize,
}

/// A route in the table.
#[derive(Clone, Copy)]
pub struct Mounted {
    /// The route.
    pub route: &'static Route,
    /// Its index: 0 up to [`Table::len`].
    pub index: usize,
}

/// A path found in the table, and the prefixes before it.
pub struct Found<'t, 'p> {
    /// All routes with this path.
    pub routes: &'t [Mounted],
    /// The prefixes before it.
    pub prefix: Prefix<'p>,
}

impl Table {
    /// Joins the recipes' tables. `base_path` is empty or begins with a slash and does not end with one.
    ///
    /// # Errors
    /// When two routes could serve the same request.
    pub fn new(base_path: impl Into<String>, recipes: &[&'static [Route]]) -> Result<Self, Duplicate> {
        let mut paths: HashMap<&'static str, Vec<Mounted>> = HashMap::new();
        let mut count = 0;
        for route in recipes.iter().copied().flatten() {
            let same_path = paths.entry(route.path.trim_end_matches('/')).or_default();
            if same_path.iter().any(|mounted| mounted.route.overlaps(route)) {
                return Err(Duplicate { label: route.label });
            }
            same_path.push(Mounted { route, index: count });
            count += 1;
        }
        Ok(Self { base_path: decode_unreserved(&base_path.into()).into_owned(), paths, count })
    }

    /// The number of routes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// True if there are no routes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Every route, in no particular order.
    pub fn routes(&self) -> impl Iterator<Item = Mounted> {
        self.paths.values().flatten().copied()
    }

    /// A request's path in the form that [`Table::find`] takes: with letters, digits and `-._~` decoded (RFC 3986,
    /// 6.2.2.2), without base path, duplicate slashes and one trailing slash, in lower case. `None` outside the base
    /// path, whose case matters.
    #[must_use]
    pub fn normalise<'p>(&self, path: &'p str) -> Option<Cow<'p, str>> {
        match decode_unreserved(path) {
            Cow::Borrowed(path) => path::below(&self.base_path, path).map(path::tidy),
            Cow::Owned(path) => path::below(&self.base_path, &path).map(|below| path::tidy(below).into_owned().into()),
        }
    }

    /// The routes of a normalised path: as it is, or after removing an app, a tenant, or both.
    #[must_use]
    pub fn find<'t, 'p>(&'t self, path: &'p str) -> Option<Found<'t, 'p>> {
        if let Some(routes) = self.paths.get(path) {
            return Some(Found { routes, prefix: Prefix::default() });
        }
        let (prefix, rest) = peel(path);
        let found = |rest: &str, prefix| self.paths.get(rest).map(|routes| Found { routes, prefix });
        if let Some(app) = prefix.app
            && let Some(found) = found(after_first_segment(path), Prefix { app: Some(app), tenant: None })
        {
            return Some(found);
        }
        if prefix == Prefix::default() { None } else { found(rest, prefix) }
    }
}

/// Chooses the route that serves a request among those of one path.
///
/// # Errors
/// 405 when the path does not have this method for this rid; 404 when it does not have it in this version, or the path
/// does not exist; 501 for methods that neither the protocol nor HTTP defines.
pub fn choose<'r>(
    routes: &[Mounted],
    method: &Method,
    rid: impl FnOnce() -> Option<&'r str>,
    version: CdiVersion,
) -> Result<Mounted, ApiError> {
    let known = |sent: &&str| routes.iter().any(|mounted| mounted.route.rid == Some(*sent));
    let rid = if routes.iter().any(|mounted| mounted.route.rid.is_some()) { rid().filter(known) } else { None };
    let of_rid = || routes.iter().filter(|mounted| mounted.route.rid == rid);
    let Some(verb) = Verb::of(method) else {
        return Err(match *method {
            Method::OPTIONS | Method::TRACE => not_supported(of_rid(), version),
            _ => ApiError::MethodNotImplemented,
        });
    };
    if verb == Verb::HEAD && routes.is_empty() {
        return Err(not_supported(of_rid(), version));
    }
    let mut same_verb = of_rid().filter(|mounted| mounted.route.verb == verb).peekable();
    if routes.is_empty() || same_verb.peek().is_some() {
        return same_verb.find(|mounted| mounted.route.serves(version)).copied().ok_or(ApiError::NotFound);
    }
    Err(not_supported(of_rid(), version))
}

/// 405 that lists the methods available in this version.
fn not_supported<'m>(routes: impl Iterator<Item = &'m Mounted>, version: CdiVersion) -> ApiError {
    let serving = routes.filter(|mounted| mounted.route.serves(version));
    ApiError::MethodNotSupported { allowed: serving.map(|mounted| mounted.route.verb).collect() }
}
