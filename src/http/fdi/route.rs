//! Routes of the front door: a const table per recipe, looked up by exact path (protocol: 20, 1).

use super::call::FrontCall;
use super::error::FrontError;
use crate::config::front::{FrontConfig, FrontRecipe};
use crate::context::Context;
use crate::domain::ids::TenantId;
use crate::http::exchange::{Reply, Verb};
use futures_util::future::BoxFuture;
use http::Method;
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
    /// Whether pages of every origin may send requests that are not GET: they change nothing.
    pub cross_site: bool,
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
            cross_site: false,
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

    /// Accepts requests of other sites' pages.
    #[must_use]
    pub const fn cross_site(self) -> Self {
        Self { cross_site: true, ..self }
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
    /// Joins the recipes' routes. Of routes with the same method and path, the first enabled one serves.
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

    /// The route of a path, and the tenant that it names. Paths are compared as they are, without one slash at the end;
    /// a path without a tenant wins.
    #[must_use]
    pub fn find(&self, method: &Method, path: &str, front: &FrontConfig) -> Option<(FrontMounted, TenantId)> {
        let verb = Verb::of(method)?;
        let below = below(path, front)?;
        let below = without_slash(below);
        if let Some(found) = self.exact(verb, below, front) {
            return Some((found, TenantId::public()));
        }
        let (tenant, rest) = below.strip_prefix('/')?.split_once('/')?;
        let is_id = !tenant.is_empty() && tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let rest = below.get(below.len() - rest.len() - 1..).filter(|_| is_id)?;
        let found = self.exact(verb, without_slash(rest), front)?;
        Some((found, TenantId::new(tenant.to_ascii_lowercase())))
    }

    fn exact(&self, verb: Verb, path: &str, front: &FrontConfig) -> Option<FrontMounted> {
        let indices = self.by_path.get(path)?;
        let mut mounted = indices.iter().filter_map(|index| Some((self.routes.get(*index)?, *index)));
        let (route, index) = mounted.find(|(route, _)| route.serves(verb, front))?;
        Some(FrontMounted { route: *route, index })
    }
}

/// The path below `api_base_path`; `None` outside it. What a gateway adds, it takes off again.
fn below<'p>(path: &'p str, front: &FrontConfig) -> Option<&'p str> {
    path.strip_prefix(front.api.base_path.as_str()).filter(|below| below.is_empty() || below.starts_with('/'))
}

fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}
