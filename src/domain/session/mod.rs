//! Sessions: a session is a refresh-token family.
//!
//! [`family`] decides what a presented token may still do; [`event`] and [`timeline`] record what happened and why;
//! [`lifetime`] and [`size`] limit access tokens; [`claims`] reads what they say; [`client`] describes who uses the
//! session.

pub mod claims;
pub mod client;
pub mod event;
pub mod family;
pub mod lifetime;
pub mod size;
pub mod timeline;

use crate::domain::ids::{SessionHandle, UserId};
use crate::domain::json::JsonObject;
use crate::domain::secret::Secret;
use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// Which refresh machine applies: one of the protocol's two, or the front door's. Stored in events: append, never
/// reorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefreshPolicy {
    /// CDI ≤ 5.5: a refreshed token replaces its parent when it is first used.
    PromoteOnUse,
    /// CDI ≥ 5.6: a refreshed token replaces its parent at once, with a grace period.
    RotateOnRefresh,
    /// The front door: as `PromoteOnUse`, but a parent that was just replaced still mints children for a grace period.
    PromoteWithGrace,
}

impl RefreshPolicy {
    /// True if a refreshed token waits for its first use, and replaces its parent only then.
    #[must_use]
    pub const fn promotes_on_use(self) -> bool {
        matches!(self, Self::PromoteOnUse | Self::PromoteWithGrace)
    }
}

/// Layouts of access tokens. Version 1 is only verified, never issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessTokenVersion {
    /// Nested `userData`, padded base64.
    V1,
    /// The same as version 1 (CDI < 2.21).
    V2,
    /// Flat claims with `kid` (CDI 2.21).
    V3,
    /// Adds `tId` (CDI 3.x).
    V4,
    /// Adds `rsub` (CDI ≥ 4.0).
    V5,
}

impl AccessTokenVersion {
    /// True when custom claims are at the top level, next to ours; false when they are nested in `userData`.
    #[must_use]
    pub const fn is_flat(self) -> bool {
        matches!(self, Self::V3 | Self::V4 | Self::V5)
    }

    /// True when readers of this layout support RSA only, so that it is signed with RSA whatever the app's algorithm:
    /// the header of versions 1 and 2 is a constant that says RS256, and some of the SDKs that use version 3 verify
    /// nothing else.
    #[must_use]
    pub const fn needs_rsa(self) -> bool {
        matches!(self, Self::V1 | Self::V2 | Self::V3)
    }
}

/// The `session` member of replies.
#[derive(Debug, Clone)]
pub struct SessionView {
    /// The session's public name; it carries the tenant.
    pub handle: SessionHandle,
    /// The primary user.
    pub user_id: UserId,
    /// The user of the login method that was used.
    pub recipe_user_id: UserId,
    /// `userDataInJWT`.
    pub user_data_in_jwt: JsonObject,
}

/// A token as it is handed out.
#[derive(Debug, Clone)]
pub struct IssuedToken {
    /// The token's text.
    pub token: Secret<String>,
    /// When it stops being accepted.
    pub expiry: UnixMillis,
    /// When it was made.
    pub created: UnixMillis,
}

/// The result of create and refresh.
#[derive(Debug, Clone)]
pub struct IssuedSession {
    /// The session.
    pub session: SessionView,
    /// The access token.
    pub access_token: IssuedToken,
    /// The refresh token.
    pub refresh_token: IssuedToken,
    /// Present if the caller enabled anti-CSRF tokens.
    pub anti_csrf_token: Option<String>,
}
