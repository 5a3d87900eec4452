//! What can happen to a session: the entries of its timeline.

use super::RefreshPolicy;
use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// One entry. Holds no secret: no token, no hash, no payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When it first happened.
    pub at: UnixMillis,
    /// Set if it happened repeatedly with nothing else in between.
    pub repeats: Option<Repeats>,
    /// What happened.
    pub kind: EventKind,
}

/// How many more times something happened, and when last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeats {
    /// Times after the first.
    pub more: u32,
    /// The last time.
    pub last: UnixMillis,
}

/// What happened. Stored: append variants, never reorder or change one (the golden records would fail).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// The session began.
    Created {
        /// The request that created it.
        request_id: String,
    },
    /// The current token minted a child that waits for its first use (CDI ≤ 5.5, front door).
    Refreshed {
        /// Generation of the child.
        generation: u64,
    },
    /// A child was used for the first time and replaced its parent (CDI ≤ 5.5, front door).
    Promoted {
        /// Where the child was used.
        by: Use,
        /// The family's generation from now on.
        generation: u64,
    },
    /// Another child of the replaced token was used; the lineage moved to it (CDI ≤ 5.5: inside the grace period; front
    /// door: at refresh also later, until the next promotion).
    SiblingMoved {
        /// Where it was used.
        by: Use,
        /// The family's generation; unchanged.
        generation: u64,
    },
    /// The token was replaced at refresh (CDI ≥ 5.6).
    Rotated {
        /// The family's generation from now on.
        generation: u64,
    },
    /// The previous token came back inside the grace period and got a new successor (CDI ≥ 5.6), or one more child (front
    /// door).
    GraceReplay {
        /// The generation of what was minted.
        generation: u64,
    },
    /// A replaced token came back.
    ReuseDetected {
        /// Which kind of replaced token.
        subtype: ReuseSubtype,
        /// The policy that judged it; under `RotateOnRefresh` it ends the session.
        policy: RefreshPolicy,
        /// The generation in which the presented token was minted.
        generation: u64,
        /// Time since the last replacement, in ms.
        after_ms: Option<u64>,
        /// The request that presented the token.
        request_id: String,
    },
    /// A call ended the session.
    Revoked {
        /// The call that ended it.
        call: String,
        /// The request of that call; empty for the command line.
        request_id: String,
    },
    /// The session reached its end of life.
    Expired,
    /// `userDataInJWT` was replaced.
    PayloadUpdated {
        /// The request that replaced it.
        request_id: String,
    },
    /// `userDataInDatabase` was replaced.
    DatabaseUpdated {
        /// The request that replaced it.
        request_id: String,
    },
    /// An access token was regenerated (which may replace `userDataInJWT`).
    Regenerated {
        /// The request that regenerated it.
        request_id: String,
    },
    /// The session was ended by a change of its user.
    RevokedWithUser {
        /// The change.
        change: UserChange,
        /// The call that made the change.
        call: String,
        /// The request of that call; empty for the command line.
        request_id: String,
    },
}

/// Changes of a user that end sessions. Stored: append, never reorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserChange {
    /// The user was deleted.
    Deletion,
    /// The user was linked to another one.
    Linking,
    /// The user was separated from its group.
    Unlinking,
    /// The user was removed from the session's tenant.
    LeavingTenant,
    /// The session's id no longer refers to the user.
    Unmapping,
}

impl UserChange {
    /// The wording in timelines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deletion => "user deletion",
            Self::Linking => "account linking",
            Self::Unlinking => "account unlinking",
            Self::LeavingTenant => "removal from the tenant",
            Self::Unmapping => "removal of the user id mapping",
        }
    }
}

/// Where a token was first used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Use {
    /// Its access token, at verify.
    Verify,
    /// The refresh token itself, at refresh.
    Refresh,
}

/// Which replaced token came back (`recentTokenReuseSubtype`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReuseSubtype {
    /// The previous token, after its grace period.
    RecentPrev,
    /// A child of the previous token that was not the one promoted.
    OrphanedBranch,
    /// Anything older.
    StaleLineage,
}

impl ReuseSubtype {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RecentPrev => "RECENT_PREV",
            Self::OrphanedBranch => "ORPHANED_BRANCH",
            Self::StaleLineage => "STALE_LINEAGE",
        }
    }
}

impl EventKind {
    /// The name in a timeline.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::Refreshed { .. } => "refreshed",
            Self::Promoted { .. } => "promoted",
            Self::SiblingMoved { .. } => "sibling-moved",
            Self::Rotated { .. } => "rotated",
            Self::GraceReplay { .. } => "grace-replay",
            Self::ReuseDetected { .. } => "reuse-detected",
            Self::Revoked { .. } | Self::RevokedWithUser { .. } => "revoked",
            Self::Expired => "expired",
            Self::PayloadUpdated { .. } => "payload-updated",
            Self::DatabaseUpdated { .. } => "database-updated",
            Self::Regenerated { .. } => "regenerated",
        }
    }

    /// Part of a session's normal life: dropped first when a timeline is full.
    #[must_use]
    pub const fn is_routine(&self) -> bool {
        matches!(
            self,
            Self::Refreshed { .. }
                | Self::Promoted { .. }
                | Self::Rotated { .. }
                | Self::PayloadUpdated { .. }
                | Self::DatabaseUpdated { .. }
                | Self::Regenerated { .. }
        )
    }

    /// True if this is the same thing as `other`, regardless of the request.
    #[must_use]
    pub fn repeats(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::PayloadUpdated { .. }, Self::PayloadUpdated { .. })
            | (Self::DatabaseUpdated { .. }, Self::DatabaseUpdated { .. })
            | (Self::Regenerated { .. }, Self::Regenerated { .. }) => true,
            (
                Self::ReuseDetected { subtype: a, policy: p, generation: g, .. },
                Self::ReuseDetected { subtype: b, policy: q, generation: h, .. },
            ) => (a, p, g) == (b, q, h),
            (Self::Refreshed { .. } | Self::SiblingMoved { .. } | Self::GraceReplay { .. }, _) => self == other,
            _ => false,
        }
    }

    /// The request this came from, if the kind records it.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Created { request_id }
            | Self::ReuseDetected { request_id, .. }
            | Self::Revoked { request_id, .. }
            | Self::RevokedWithUser { request_id, .. }
            | Self::PayloadUpdated { request_id }
            | Self::DatabaseUpdated { request_id }
            | Self::Regenerated { request_id } => Some(request_id),
            Self::Refreshed { .. }
            | Self::Promoted { .. }
            | Self::SiblingMoved { .. }
            | Self::Rotated { .. }
            | Self::GraceReplay { .. }
            | Self::Expired => None,
        }
    }

    /// Sets the request this came from, if the kind records it.
    #[must_use]
    pub fn of_request(mut self, id: &str) -> Self {
        match &mut self {
            Self::Created { request_id }
            | Self::ReuseDetected { request_id, .. }
            | Self::Revoked { request_id, .. }
            | Self::RevokedWithUser { request_id, .. }
            | Self::PayloadUpdated { request_id }
            | Self::DatabaseUpdated { request_id }
            | Self::Regenerated { request_id } => id.clone_into(request_id),
            Self::Refreshed { .. }
            | Self::Promoted { .. }
            | Self::SiblingMoved { .. }
            | Self::Rotated { .. }
            | Self::GraceReplay { .. }
            | Self::Expired => {}
        }
        self
    }
}
