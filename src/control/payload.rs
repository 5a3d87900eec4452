//! What requests carry besides names and numbers. Secrets and settings are never shown.

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
    /// Takes the operator's text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, kept from view.
    pub(super) fn into_secret(self) -> Secret<String> {
        Secret::new(self.0)
    }
}

impl fmt::Debug for PlainSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainSecret(…)")
    }
}

/// A new app's or tenant's own state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTenant {
    /// Settings of its own.
    pub core_config: OwnSettings,
    /// Factors that may begin a sign-in; without, what the protocol gives a new one.
    pub first_factors: Option<Vec<String>>,
    /// Factors that must follow.
    pub required_secondary_factors: Option<Vec<String>>,
}

/// Own settings on their way to the server. API keys may be among them: values are never shown.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OwnSettings(Map<String, Value>);

impl OwnSettings {
    /// Takes settings as they were written.
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

/// What to import, and as what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedImport {
    /// The archive's absolute path, as the server sees it.
    #[serde(with = "super::path")]
    pub from: PathBuf,
    /// Under this id, instead of the archive's.
    pub as_id: Option<String>,
    /// In this connection URI domain, instead of the archive's.
    pub domain: Option<String>,
    /// Opens the keys in it.
    pub key: Option<PlainSecret>,
}

/// Which users to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsersWanted {
    /// With a login method in this tenant.
    pub tenant: String,
    /// With a login method of this recipe there; of any without.
    pub recipe: Option<String>,
    /// Newest first; otherwise oldest first.
    pub newest_first: bool,
    /// With an e-mail address, or a domain of one, that begins so.
    pub email: Option<String>,
    /// From this place on: time joined (ms) and id, as the answer before named it.
    pub from: Option<(u64, String)>,
    /// At most so many.
    pub limit: usize,
}

/// Lines of a file of users, on their way to the server. They hold hashes and passwords: never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserLines(Vec<String>);

impl UserLines {
    /// Takes lines as they stand in the file.
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
