//! Users waiting to be imported.

use crate::table::table;
use serde::{Deserialize, Serialize};

/// Maximum number of users added in one request.
pub const ADDED_AT_ONCE: usize = 10_000;

table! {
    /// How far a user has come. A user that was imported has no entry any more. The numbers are stored.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "UPPERCASE")]
    #[repr(u8)]
    pub enum BulkStatus {
        /// Waiting.
        New = 1, "NEW";
        /// Its batch is being processed.
        Processing = 2, "PROCESSING";
        /// It could not be imported.
        Failed = 3, "FAILED";
    }
}

impl BulkStatus {
    /// The status with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}
