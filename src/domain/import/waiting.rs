//! Users that wait to be imported.

use serde::{Deserialize, Serialize};

/// Most users that are added in one request.
pub const ADDED_AT_ONCE: usize = 10_000;

/// How far a user has come. One that was imported is there no more. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[repr(u8)]
pub enum BulkStatus {
    /// It waits.
    New = 1,
    /// Its batch is under way.
    Processing = 2,
    /// It could not be imported.
    Failed = 3,
}

impl BulkStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::New, Self::Processing, Self::Failed];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Processing => "PROCESSING",
            Self::Failed => "FAILED",
        }
    }

    /// The status with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}
