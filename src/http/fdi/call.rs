//! [`FrontCall`]: a browser's request that has passed the common checks, in the form that recipes use.

use super::caller::Caller;
use super::error::FrontError;
use super::tenant_host::{Pages, TenantHost};
use super::tokens::{CookieRules, OutgoingTokens};
use super::version::FdiVersion;
use crate::command::scope::{Cause, Scope};
use crate::config::front::FrontConfig;
use crate::domain::ids::TenantId;
use crate::domain::origin::Origin;
use crate::domain::session::client::{Client, Seen, UserAgent};
use crate::http::exchange::Request;
use crate::state::directory::{AppEntry, TenantEntry};
use http::HeaderName;
use http::header::USER_AGENT;
use std::net::IpAddr;
use std::sync::Arc;

/// The recipe meant by the caller; for the CSRF check, that it is there at all.
pub static RID: HeaderName = HeaderName::from_static("rid");
/// The versions that the frontend speaks.
static FDI_VERSION: HeaderName = HeaderName::from_static("fdi-version");

/// A browser's request that has passed the common checks.
pub struct FrontCall {
    /// The request itself.
    pub request: Request,
    /// The app it was addressed to.
    pub app: Arc<AppEntry>,
    /// That app's front door.
    pub front: Arc<FrontConfig>,
    /// The origin of the front door.
    pub api: Origin,
    /// The tenant of the host, or else the one named in the path; it may not exist.
    pub tenant: TenantId,
    /// The tenant's own host that it came to, if it is one.
    pub tenant_host: Option<TenantHost>,
    /// Method and path of the route, such as `front POST /signin`.
    pub label: &'static str,
    /// The page that sent it.
    pub caller: Caller,
    /// Whether the website belongs to another site than the front door.
    pub is_cross_site: bool,
    /// The address of the person's device.
    pub client: IpAddr,
    /// The address by which its requests are counted, if it can be told from others'.
    pub counted_address: Option<IpAddr>,
    /// The attributes of its cookies.
    pub rules: CookieRules,
    /// The tokens that the reply will hand out or clear.
    pub tokens: OutgoingTokens,
}

impl FrontCall {
    /// The app and the cause that commands record.
    #[must_use]
    pub fn scope(&self) -> Scope {
        let cause = Cause {
            call: self.label,
            request_id: self.request.id.clone(),
            caller: Some(self.client),
            client: Some(self.client),
        };
        Scope { app: Arc::clone(&self.app), cause }
    }

    /// The path's tenant.
    ///
    /// # Errors
    /// 400 when it does not exist.
    pub fn existing_tenant(&self) -> Result<Arc<TenantEntry>, FrontError> {
        self.app.tenant(&self.tenant).ok_or_else(|| FrontError::bad_request("Tenant not found"))
    }

    /// The version to answer in.
    #[must_use]
    pub fn version(&self) -> FdiVersion {
        FdiVersion::of(self.request.header(&FDI_VERSION))
    }

    /// The website: the one that asks; else the tenant's host, if that was asked; else the first. `None` in
    /// development, for a request that comes from no page.
    #[must_use]
    pub fn website(&self) -> Option<&Origin> {
        let of_tenant = || self.tenant_host.as_ref().map(|host| &host.origin);
        self.caller.website().or_else(of_tenant).or_else(|| self.front.websites.first())
    }

    /// The page of the website with this path below `website_base_path`, for links in mails. In development without a
    /// page, of the front door itself.
    #[must_use]
    pub fn page(&self, path: &str) -> String {
        let origin = self.website().unwrap_or(&self.api);
        format!("{origin}{}{path}", self.front.websites.base_path)
    }

    /// The origin under which it reached the front door.
    #[must_use]
    pub fn reached(&self) -> &Origin {
        self.pages().reached()
    }

    /// The pages that may use the front door where it came to.
    #[must_use]
    pub fn pages(&self) -> Pages<'_> {
        Pages { app: &self.app, front: &self.front, api: &self.api, host: self.tenant_host.as_ref() }
    }

    /// The browser or app that sent it, as far as a session may keep that.
    #[must_use]
    pub fn seen(&self) -> Seen {
        if !self.front.session.records_clients {
            return Seen::Unrecorded;
        }
        let user_agent = self.request.headers.get(USER_AGENT).and_then(|value| UserAgent::of(value.as_bytes()));
        Seen::Client(Client { address: self.client.to_canonical(), user_agent })
    }

    /// The issuer of its tokens.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{}{}", self.api, self.front.api.prefix())
    }
}
