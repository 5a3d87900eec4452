//! [`HookEvent`]: what a hook is told.

use super::kind::{Detail, HookEventKind};
use crate::domain::audit::AuditEvent;
use crate::domain::ids::{AppId, SessionHandle, TenantId, UserId};
use crate::domain::session::client::{SessionClients, ToldClients};
use crate::domain::time::UnixMillis;
use serde::Serialize;
use std::net::IpAddr;

/// Something that happened, as hooks are told of it. Holds no secret, but addresses and numbers of people.
#[derive(Clone, Copy)]
pub struct HookEvent<'a> {
    /// What happened.
    pub kind: HookEventKind,
    /// The tenant it happened in; `None` for the whole app.
    pub tenant: Option<&'a TenantId>,
    /// The user it happened to, by the id that callers see.
    pub user: Option<&'a UserId>,
    /// The login method it happened to, by the id that callers see.
    pub recipe_user: Option<&'a UserId>,
    /// The recipe that caused it.
    pub recipe: Option<&'a str>,
    /// The e-mail address or phone number that was used.
    pub login: Option<&'a str>,
    /// The session it happened to.
    pub session: Option<&'a SessionHandle>,
    /// The browsers that have used that session, if any is known.
    pub clients: Option<&'a SessionClients>,
    /// The role, the authenticator app, or the reason, depending on the kind.
    pub detail: Option<&'a str>,
}

/// Where and when an event happened, and what led to it.
pub struct Circumstances<'a> {
    /// The app.
    pub app: &'a AppId,
    /// When.
    pub at: UnixMillis,
    /// The call, such as `POST /auth/signup`.
    pub call: &'a str,
    /// Its request id; empty if it was no request.
    pub request_id: &'a str,
    /// Address of the person's device, if known.
    pub client: Option<IpAddr>,
}

/// The body of a request, documented in `docs/hooks.md`. Members are added, never renamed.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    connection_uri_domain: &'a str,
    app_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipe_user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipe_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_handle: Option<String>,
    #[serde(flatten)]
    clients: ToldClients<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_address: Option<String>,
    call: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    request_id: &'a str,
}

impl<'a> HookEvent<'a> {
    /// An event of this kind, with nothing else.
    #[must_use]
    pub const fn of(kind: HookEventKind) -> Self {
        let (tenant, user, recipe_user, recipe) = (None, None, None, None);
        Self { kind, tenant, user, recipe_user, recipe, login: None, session: None, clients: None, detail: None }
    }

    /// The event of what is recorded in the audit log, if hooks are told of that.
    #[must_use]
    pub fn of_audit(event: &'a AuditEvent) -> Option<Self> {
        let user = event.user.as_ref();
        Some(Self {
            kind: HookEventKind::of_audit(event.kind)?,
            tenant: event.tenant.as_ref(),
            user,
            recipe_user: event.recipe_user.as_ref().or(user),
            recipe: event.recipe,
            login: event.login.as_deref(),
            session: None,
            clients: None,
            detail: event.detail.as_deref(),
        })
    }

    /// The event in JSON.
    #[must_use]
    pub fn body(&self, circumstances: &Circumstances<'_>) -> String {
        let detail = |wanted| self.detail.filter(|_| self.kind.detail() == wanted);
        let body = Body {
            r#type: self.kind.name(),
            timestamp: circumstances.at.to_string(),
            data: Data {
                connection_uri_domain: &circumstances.app.connection_uri_domain,
                app_id: &circumstances.app.app_id,
                tenant_id: self.tenant.map(TenantId::as_str),
                user_id: self.user.map(UserId::as_str),
                recipe_user_id: self.recipe_user.map(UserId::as_str),
                recipe_id: self.recipe,
                login: self.login,
                session_handle: self.session.map(ToString::to_string),
                clients: self.clients.map(SessionClients::told).unwrap_or_default(),
                role: detail(Detail::Role),
                device_name: detail(Detail::Device),
                reason: detail(Detail::Reason),
                client_address: circumstances.client.map(|address| address.to_canonical().to_string()),
                call: circumstances.call,
                request_id: circumstances.request_id,
            },
        };
        // invariant: it holds only serialisable data with string keys
        serde_json::to_string(&body).unwrap_or_default()
    }
}
