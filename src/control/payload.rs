//! What requests carry besides names and numbers. Secrets and settings are never printed.

use crate::domain::secret::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::path::PathBuf;

/// A master key or a password on its way to the server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlainSecret(String);

impl PlainSecret {
    /// Wraps the operator's text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, still protected from being printed.
    pub(super) fn into_secret(self) -> Secret<String> {
        Secret::new(self.0)
    }
}

impl fmt::Debug for PlainSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainSecret(…)")
    }
}

/// The own settings and factors of a new app or tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTenant {
    /// Settings of its own.
    pub core_config: OwnSettings,
    /// Factors that may start a sign-in; without them, the protocol's default for a new one.
    pub first_factors: Option<Vec<String>>,
    /// Factors that must follow.
    pub required_secondary_factors: Option<Vec<String>>,
}

/// Own settings on their way to the server. API keys may be among them: values are never printed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OwnSettings(Map<String, Value>);

impl OwnSettings {
    /// Wraps settings as they were written.
    #[must_use]
    pub const fn new(settings: Map<String, Value>) -> Self {
        Self(settings)
    }

    /// The settings.
    pub(super) fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

impl fmt::Debug for OwnSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// The archive to import, and the id to import it under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedImport {
    /// The archive's absolute path, as the server sees it.
    #[serde(with = "super::path")]
    pub from: PathBuf,
    /// The id to use instead of the archive's.
    pub as_id: Option<String>,
    /// The connection URI domain to use instead of the archive's.
    pub domain: Option<String>,
    /// The key that opens the signing keys in it.
    pub key: Option<PlainSecret>,
}

/// The users to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsersWanted {
    /// The tenant in which they have a login method.
    pub tenant: String,
    /// The recipe of a login method they have there; any without.
    pub recipe: Option<String>,
    /// Whether to list the newest first instead of the oldest.
    pub newest_first: bool,
    /// The beginning of their e-mail address, or of its domain.
    pub email: Option<String>,
    /// Position to continue from: time joined (ms) and id, as in the previous answer.
    pub from: Option<(u64, String)>,
    /// The most users to return.
    pub limit: usize,
}

/// Lines of a file of users, on their way to the server. They hold hashes and passwords and are never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserLines(Vec<String>);

impl UserLines {
    /// Wraps lines as they are in the file.
    #[must_use]
    pub const fn new(lines: Vec<String>) -> Self {
        Self(lines)
    }

    /// The lines.
    pub(super) fn into_lines(self) -> Vec<String> {
        self.0
    }
}

impl fmt::Debug for UserLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserLines({})", self.0.len())
    }
}
