//! [`FrontCall`]: a browser's request that has passed the common checks, in the form that recipes use.

use super::caller::Caller;
use super::error::FrontError;
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
    /// The tenant named in the path; it may not exist.
    pub tenant: TenantId,
    /// The version to answer in.
    pub version: FdiVersion,
    /// Method and path of the route, such as `front POST /signin`.
    pub label: &'static str,
    /// The page that sent it.
    pub caller: Caller,
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

    /// True if the website belongs to another site than the front door.
    #[must_use]
    pub fn is_cross_site(&self) -> bool {
        self.front.websites.is_cross_site(self.caller.website())
    }

    /// The page of the website with this path below `website_base_path`, for links in mails: of the website that asked
    /// for it, else of the first. In development without a page, of the front door itself.
    #[must_use]
    pub fn page(&self, path: &str) -> String {
        let websites = &self.front.websites;
        let origin = websites.of(self.caller.website()).or_else(|| self.caller.website()).unwrap_or(&self.api);
        format!("{origin}{}{path}", websites.base_path)
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
