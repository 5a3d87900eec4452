//! Multitenancy: connection URI domains, apps and tenants (CDI: multitenancy, both generations).
//!
//! "Self" is the tenant that the host and path of the request name. The public tenant of an app represents the app, the
//! public app of a domain represents the domain.

mod provider;
mod put;
mod read;
mod remove;
mod shape;
pub(super) mod shared;
mod user;

use crate::http::cdi::route::Route;
use crate::route;

/// Routes of this recipe. Both generations answer at any version.
pub const ROUTES: &[Route] = &[
    route!(PUT "/recipe/multitenancy/tenant/v2", Tenant => put::tenant_v2),
    route!(PUT "/recipe/multitenancy/tenant", Tenant => put::tenant),
    route!(PUT "/recipe/multitenancy/app/v2", Tenant => put::app_v2),
    route!(PUT "/recipe/multitenancy/app", Tenant => put::app),
    route!(PUT "/recipe/multitenancy/connectionuridomain/v2", Tenant => put::domain_v2),
    route!(PUT "/recipe/multitenancy/connectionuridomain", Tenant => put::domain),
    route!(GET "/recipe/multitenancy/tenant/v2", Tenant => read::tenant_v2).without_app(read::tenant_not_found),
    route!(GET "/recipe/multitenancy/tenant", Tenant => read::tenant).without_app(read::tenant_not_found),
    route!(GET "/recipe/multitenancy/tenant/list/v2", Tenant => read::tenants_v2),
    route!(GET "/recipe/multitenancy/tenant/list", Tenant => read::tenants),
    route!(GET "/recipe/multitenancy/app/list/v2", Tenant => read::apps_v2),
    route!(GET "/recipe/multitenancy/app/list", Tenant => read::apps),
    route!(GET "/recipe/multitenancy/connectionuridomain/list/v2", Tenant => read::domains_v2),
    route!(GET "/recipe/multitenancy/connectionuridomain/list", Tenant => read::domains),
    route!(POST "/recipe/multitenancy/tenant/remove", Tenant => remove::tenant),
    route!(POST "/recipe/multitenancy/app/remove", Tenant => remove::app),
    route!(POST "/recipe/multitenancy/connectionuridomain/remove", Tenant => remove::domain),
    route!(PUT "/recipe/multitenancy/config/thirdparty", Tenant => provider::put),
    route!(POST "/recipe/multitenancy/config/thirdparty/remove", Tenant => provider::remove),
    route!(POST "/recipe/multitenancy/tenant/user", Tenant => user::add),
    route!(POST "/recipe/multitenancy/tenant/user/remove", Tenant => user::remove),
];
