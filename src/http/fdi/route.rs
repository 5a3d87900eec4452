//! Routes of the front door: a const table per recipe, looked up by exact path (protocol: 20, 1).

use super::call::{FrontCall, RID};
use super::error::FrontError;
use crate::config::front::{FrontConfig, FrontRecipe};
use crate::context::Context;
use crate::domain::ids::TenantId;
use crate::http::exchange::{Reply, Request, Verb};
use futures_util::future::BoxFuture;
use std::collections::HashMap;

/// A handler: decode, run the command, encode.
pub type FrontHandler = for<'a> fn(&'a Context, &'a mut FrontCall) -> BoxFuture<'a, Result<Reply, FrontError>>;

/// One method of one path.
#[derive(Debug, Clone, Copy)]
pub struct FrontRoute {
    /// The method.
    pub verb: Verb,
    /// The path below the front door's prefix.
    pub path: &'static str,
    /// Method and path, such as `front POST /signin`: for logs, metrics and timelines.
    pub label: &'static str,
    /// The recipe that must be enabled; `None` for routes that are always there.
    pub recipe: Option<FrontRecipe>,
    /// Whether pages of every origin may read the reply: it is public and the same for everybody.
    pub public: bool,
    /// Whether requests change something, so that pages of other origins may not send them; GET does not, unless it
    /// says so.
    pub writes: bool,
    /// Whether requests stand for others, which a proxy asks about: what their headers say of hosts and pages is about
    /// those.
    pub is_about_another: bool,
    /// The handler to run.
    pub handler: FrontHandler,
}

/// A route on one line: `front_route!(POST "/signin" => sign_in::sign_in)`, refined by [`FrontRoute`]'s methods.
#[macro_export]
macro_rules! front_route {
    ($verb:ident $path:literal => $handler:path) => {{
        fn boxed<'a>(
            context: &'a $crate::context::Context,
            call: &'a mut $crate::http::fdi::call::FrontCall,
        ) -> futures_util::future::BoxFuture<
            'a,
            Result<$crate::http::exchange::Reply, $crate::http::fdi::error::FrontError>,
        > {
            Box::pin($handler(context, call))
        }
        $crate::http::fdi::route::FrontRoute {
            verb: $crate::http::exchange::Verb::$verb,
            path: $path,
            label: concat!("front ", stringify!($verb), " ", $path),
            recipe: None,
            public: false,
            writes: !matches!($crate::http::exchange::Verb::$verb, $crate::http::exchange::Verb::GET),
            is_about_another: false,
            handler: boxed,
        }
    }};
}

impl FrontRoute {
    /// Makes the route exist only with this recipe.
    #[must_use]
    pub const fn of(self, recipe: FrontRecipe) -> Self {
        Self { recipe: Some(recipe), ..self }
    }

    /// Lets pages of every origin read the reply.
    #[must_use]
    pub const fn public(self) -> Self {
        Self { public: true, ..self }
    }

    /// Accepts requests of other sites' pages: they change nothing.
    #[must_use]
    pub const fn cross_site(self) -> Self {
        Self { writes: false, ..self }
    }

    /// Refuses requests of other sites' pages: although they are GET, they change something.
    #[must_use]
    pub const fn writing(self) -> Self {
        Self { writes: true, ..self }
    }

    /// Takes requests for questions about others.
    #[must_use]
    pub const fn about_another(self) -> Self {
        Self { is_about_another: true, ..self }
    }

    fn serves(&self, verb: Verb, front: &FrontConfig) -> bool {
        self.verb == verb && self.recipe.is_none_or(|recipe| front.has(recipe))
    }
}

/// The joined routes of all recipes.
pub struct FrontTable {
    routes: Vec<FrontRoute>,
    by_path: HashMap<&'static str, Vec<usize>>,
}

/// A route with its place in the table.
#[derive(Debug, Clone, Copy)]
pub struct FrontMounted {
    /// The route.
    pub route: FrontRoute,
    /// Its place in the table.
    pub index: usize,
}

impl FrontTable {
    /// Joins the recipes' routes.
    #[must_use]
    pub fn new(recipes: &[&'static [FrontRoute]]) -> Self {
        let routes: Vec<FrontRoute> = recipes.iter().copied().flatten().copied().collect();
        let mut by_path: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, route) in routes.iter().enumerate() {
            by_path.entry(route.path).or_default().push(index);
        }
        Self { routes, by_path }
    }

    /// The number of routes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.routes.len()
    }

    /// True without routes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// The route of a request, and the tenant that its path names, if any. Paths are compared as they are, without up to two
    /// slashes at the end; a path without a tenant wins. If several recipes have the route, the one that the caller means serves,
    /// or else the one that is enabled first.
    #[must_use]
    pub fn find(&self, request: &Request, front: &FrontConfig) -> Option<(FrontMounted, Option<TenantId>)> {
        let wanted = Wanted { verb: Verb::of(&request.method)?, rid: request.header(&RID), front };
        let below = below(&request.path, front)?;
        let below = without_slash(without_slash(below));
        if let Some(found) = self.exact(&wanted, below) {
            return Some((found, None));
        }
        let (tenant, rest) = below.strip_prefix('/')?.split_once('/')?;
        let is_id = !tenant.is_empty() && tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let rest = below.get(below.len() - rest.len() - 1..).filter(|_| is_id)?;
        let found = self.exact(&wanted, without_slash(rest))?;
        Some((found, Some(TenantId::new(tenant.to_ascii_lowercase()))))
    }

    /// True if the request asks, in a preflight, for a reply that pages of every origin may read.
    #[must_use]
    pub fn is_public(&self, request: &Request, front: &FrontConfig) -> bool {
        let path = below(&request.path, front).unwrap_or_default();
        let routes = self.by_path.get(without_slash(path)).into_iter().flatten();
        routes.filter_map(|index| self.routes.get(*index)).any(|route| route.public)
    }

    fn exact(&self, wanted: &Wanted<'_>, path: &str) -> Option<FrontMounted> {
        let indices = self.by_path.get(path)?;
        let mounted = indices.iter().filter_map(|index| Some((self.routes.get(*index)?, *index)));
        let serving = mounted.filter(|(route, _)| route.serves(wanted.verb, wanted.front));
        let (route, index) = serving.min_by_key(|(route, _)| wanted.rank(route))?;
        Some(FrontMounted { route: *route, index })
    }
}

/// What a request wants, apart from its path.
struct Wanted<'a> {
    verb: Verb,
    /// The recipe that the caller means.
    rid: Option<&'a str>,
    front: &'a FrontConfig,
}

impl Wanted<'_> {
    /// The smaller, the better a route fits.
    fn rank(&self, route: &FrontRoute) -> (bool, usize) {
        let Some(recipe) = route.recipe else { return (false, 0) };
        let place = self.front.recipes.iter().position(|enabled| *enabled == recipe).unwrap_or(usize::MAX);
        (!self.rid.is_some_and(|rid| means(rid, recipe)), place)
    }
}

/// True if a `rid` means this recipe; those of combined recipes, which are gone since FDI 3.0, mean both.
fn means(rid: &str, recipe: FrontRecipe) -> bool {
    let name = rid.strip_prefix("thirdparty").filter(|rest| !rest.is_empty()).unwrap_or(rid);
    name == recipe.name()
}

/// The path below `api_base_path`; `None` outside it. What a gateway adds, it takes off again.
fn below<'p>(path: &'p str, front: &FrontConfig) -> Option<&'p str> {
    path.strip_prefix(front.api.base_path.as_str()).filter(|below| below.is_empty() || below.starts_with('/'))
}

fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}
