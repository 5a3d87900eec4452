//! Hosts that belong to one tenant each (`front_tenant_hosts`): the one that a request came to, and those of pages.

use super::error::FrontError;
use crate::config::front::FrontConfig;
use crate::domain::ids::TenantId;
use crate::domain::origin::Origin;
use crate::http::error::ApiError;
use crate::http::host::Host;
use crate::state::directory::AppEntry;

const OTHER_TENANT: &str = "The path names a tenant to which this host does not belong";

/// A tenant's own host that a request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantHost {
    /// The tenant.
    pub tenant: TenantId,
    /// The origin of the host, with scheme and port of the app's.
    pub origin: Origin,
}

impl TenantHost {
    /// The tenant's host that a request came to; `None` for a host of the whole app.
    ///
    /// # Errors
    /// 400 when there is no such tenant: people who mistype a host do not end up in another tenant.
    pub fn of(
        host: Option<&Host<'_>>,
        app: &AppEntry,
        front: &FrontConfig,
        api: &Origin,
    ) -> Result<Option<Self>, ApiError> {
        let Some(host) = host.filter(|_| !front.tenant_hosts.is_empty()) else { return Ok(None) };
        let Some(tenant) = front.tenant_hosts.tenant_of(host.as_str()) else { return Ok(None) };
        if app.tenant(&tenant).is_none() {
            return Err(ApiError::bad_request("Tenant not found"));
        }
        Ok(Some(Self { tenant, origin: Origin { host: host.as_str().to_owned(), ..api.clone() } }))
    }
}

/// The pages that may use the front door under the host to which a request came.
#[derive(Debug, Clone, Copy)]
pub struct Pages<'a> {
    /// The app.
    pub app: &'a AppEntry,
    /// Its front door.
    pub front: &'a FrontConfig,
    /// The origin of the front door.
    pub api: &'a Origin,
    /// The tenant's own host, if the request came to one.
    pub host: Option<&'a TenantHost>,
}

impl<'a> Pages<'a> {
    /// The origin under which the request reached the front door.
    #[must_use]
    pub fn reached(&self) -> &'a Origin {
        self.host.map_or(self.api, |host| &host.origin)
    }

    /// True if pages of this origin may use the front door here: those of the website, except pages on the host of
    /// another tenant, and those on hosts of tenants.
    #[must_use]
    pub fn contains(&self, page: &Origin) -> bool {
        match self.tenant_of(page) {
            Some(tenant) => self.host.is_none_or(|host| host.tenant == tenant),
            None => self.front.websites.contains(page),
        }
    }

    /// The tenant that a request is for: that of the host, or of the host of the page that sent it, or else the one
    /// in the path.
    ///
    /// # Errors
    /// 403 when the path names another one.
    pub fn tenant(&self, page: Option<&Origin>, path: Option<TenantId>) -> Result<TenantId, FrontError> {
        let bound = self.host.map(|host| host.tenant.clone()).or_else(|| self.tenant_of(page?));
        match (bound, path) {
            (Some(bound), Some(named)) if bound != named => Err(ApiError::forbidden(OTHER_TENANT).into()),
            (bound, named) => Ok(bound.or(named).unwrap_or_else(TenantId::public)),
        }
    }

    /// True if a page belongs to another site than the host that the request came to.
    #[must_use]
    pub fn is_cross_site(&self, page: Option<&Origin>) -> bool {
        let is_listed = || page.is_none_or(|page| self.front.websites.contains(page));
        if self.host.is_none() && is_listed() {
            return self.front.websites.is_cross_site(page);
        }
        page.is_some_and(|page| !self.reached().is_same_site(page))
    }

    /// The tenant on whose host a page is, if there is such a tenant.
    fn tenant_of(&self, page: &Origin) -> Option<TenantId> {
        let hosts = &self.front.tenant_hosts;
        if hosts.is_empty() || (page.is_https, page.port) != (self.api.is_https, self.api.port) {
            return None;
        }
        hosts.tenant_of(&page.host).filter(|tenant| self.app.tenant(tenant).is_some())
    }
}
