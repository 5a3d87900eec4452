//! Typed ids: a tenant id is not a string.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// The id that both the default app and the default tenant have on the wire.
pub const PUBLIC: &str = "public";

/// An app: a connection URI domain (empty for the base one) and an app id in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AppId {
    /// Host name without port, lower case; empty for the base domain.
    pub connection_uri_domain: String,
    /// Lower case; `public` for the default app.
    pub app_id: String,
}

impl AppId {
    /// An app of the base domain.
    pub fn in_base_domain(app_id: impl Into<String>) -> Self {
        Self { connection_uri_domain: String::new(), app_id: app_id.into() }
    }

    /// The app that always exists: base domain, `public`.
    #[must_use]
    pub fn base() -> Self {
        Self { connection_uri_domain: String::new(), app_id: PUBLIC.to_owned() }
    }
}

/// A tenant's id within its app; lower case, `public` for the default tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(String);

impl TenantId {
    /// The tenant that every app has.
    #[must_use]
    pub fn public() -> Self {
        Self(PUBLIC.to_owned())
    }

    /// Wraps an id that is already lower case and well-formed (see `domain::tenancy` for the rules).
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// True for the public tenant.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.0 == PUBLIC
    }

    /// The id as it appears on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A user's id: opaque text, possibly empty, as sent by the caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(String);

impl UserId {
    /// Any text is a user id.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as it appears on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The UUID that this text is, if it is in the form in which UUIDs are handed out.
///
/// Upper case, braces and the like denote the same UUID but are a different text.
#[must_use]
pub fn canonical_uuid(text: &str) -> Option<Uuid> {
    let uuid = Uuid::try_parse(text).ok()?;
    (uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(uuid)
}

/// A session's public name: a UUID, followed by `_<tenant>` outside the public tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionHandle {
    /// The random part.
    pub uuid: Uuid,
    /// The tenant in which the session was created.
    pub tenant: TenantId,
}

impl SessionHandle {
    /// The tenant named in a handle's text, even if the rest is not a handle of ours.
    ///
    /// The protocol refuses a handle of an unknown tenant before it looks the session up.
    #[must_use]
    pub fn tenant_of(text: &str) -> TenantId {
        text.split_once('_').map_or_else(TenantId::public, |(_, tenant)| TenantId::new(tenant))
    }

    /// Parses a handle. `None` for text that cannot be the handle of a session here.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (uuid_text, tenant) = match text.split_once('_') {
            Some((_, tenant)) if tenant.is_empty() || tenant == PUBLIC => return None,
            Some((uuid, tenant)) => (uuid, TenantId::new(tenant)),
            None => (text, TenantId::public()),
        };
        Some(Self { uuid: canonical_uuid(uuid_text)?, tenant })
    }
}

impl fmt::Display for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.uuid.hyphenated())?;
        if self.tenant.is_public() { Ok(()) } else { write!(f, "_{}", self.tenant) }
    }
}
