//! What is said over the control socket.

use crate::control::payload::{NewTenant, PlainSecret, UserLines, UsersWanted, WantedImport};
use crate::domain::ids::AppId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use uuid::Uuid;

/// The longest line either side accepts, in bytes. Requests are small; replies can list many sessions.
pub(super) const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// A command to a running server; one JSON object on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Request {
    /// Who are you, and do you serve? Answered as soon as the socket exists.
    Ready,
    /// Stop gracefully. Answered before the stop begins.
    Stop,
    /// Effective settings, secrets masked.
    Config,
    /// Write a backup into a new folder, beside the traffic.
    Backup {
        /// Its absolute path, as the server sees it.
        #[serde(with = "super::path")]
        to: PathBuf,
    },
    /// Read everything and say what does not hold.
    Check,
    /// Give disk space back, beside the traffic.
    Compact,
    /// Work on the data.
    #[serde(untagged)]
    Task(Task),
}

/// Work that a server does, or the command line itself on a folder that no server uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Task {
    /// A user's live sessions.
    SessionsList {
        /// In which app.
        app: AppId,
        /// Whose.
        user: String,
        /// In this tenant; all of the app without.
        tenant: Option<String>,
    },
    /// A session's story, also after its end.
    SessionsWhy {
        /// In which app.
        app: AppId,
        /// Its public name.
        handle: String,
    },
    /// Ends sessions.
    SessionsRevoke {
        /// In which app.
        app: AppId,
        /// Which.
        #[serde(flatten)]
        which: Revoke,
    },
    /// A page of users.
    UsersList {
        /// In which app.
        app: AppId,
        /// Which.
        #[serde(flatten)]
        wanted: UsersWanted,
    },
    /// One user, found by any id.
    UsersShow {
        /// In which app.
        app: AppId,
        /// Who.
        user: String,
    },
    /// Deletes a user with all that is kept for it.
    UsersDelete {
        /// In which app.
        app: AppId,
        /// Any of its ids.
        user: String,
        /// Only the login method with this id; the others stay.
        only_method: bool,
    },
    /// Imports users, one per line.
    UsersImport {
        /// Into which app.
        app: AppId,
        /// For users that name no tenants.
        tenant: String,
        /// The lines.
        lines: UserLines,
        /// Which import they are part of.
        import: Uuid,
        /// Which of its steps they are.
        step: u64,
    },
    /// Ends an import: what the server knows of its steps is forgotten.
    UsersImportEnd {
        /// Into which app.
        app: AppId,
        /// Which.
        import: Uuid,
    },
    /// Everybody who may open an app's dashboard.
    DashboardUsersList {
        /// Of which app.
        app: AppId,
    },
    /// Makes somebody who may open the dashboard.
    DashboardUsersCreate {
        /// Of which app.
        app: AppId,
        /// The address to sign in with.
        email: String,
        /// The password to sign in with.
        password: PlainSecret,
    },
    /// Deletes somebody who may open the dashboard.
    DashboardUsersDelete {
        /// Of which app.
        app: AppId,
        /// Id or e-mail address.
        user: String,
    },
    /// Every app.
    AppsList,
    /// One app.
    AppsShow {
        /// Which.
        app: AppId,
    },
    /// Creates an app.
    AppsCreate {
        /// Its id.
        app: AppId,
        /// What it is to be like.
        new: NewTenant,
    },
    /// Deletes an app with all that is in it.
    AppsDelete {
        /// Which.
        app: AppId,
        /// Its tenants too; without, one that has some is refused.
        with_tenants: bool,
    },
    /// Writes an archive of an app.
    AppsExport {
        /// Which.
        app: AppId,
        /// The file's absolute path, as the server sees it.
        #[serde(with = "super::path")]
        to: PathBuf,
        /// Seals the keys in it.
        key: Option<PlainSecret>,
        /// Write them unsealed, although they are sealed here.
        plain: bool,
    },
    /// Makes an app of an archive.
    AppsImport(WantedImport),
    /// Every tenant of an app.
    TenantsList {
        /// Of which.
        app: AppId,
    },
    /// One tenant.
    TenantsShow {
        /// Of which app.
        app: AppId,
        /// Which.
        tenant: String,
    },
    /// Creates a tenant.
    TenantsCreate {
        /// In which app.
        app: AppId,
        /// Its id.
        tenant: String,
        /// What it is to be like.
        new: NewTenant,
    },
    /// Deletes a tenant with all that is in it; users stay in the app.
    TenantsDelete {
        /// Of which app.
        app: AppId,
        /// Which.
        tenant: String,
    },
    /// The audit log, newest first.
    Audit {
        /// In which app.
        app: AppId,
        /// Only what is about this user.
        user: Option<String>,
        /// Only this kind, by its name.
        kind: Option<String>,
        /// At most so many events.
        limit: u32,
        /// Only from this moment on, in ms since 1970.
        from: Option<u64>,
        /// Only before this moment, in ms since 1970.
        to: Option<u64>,
    },
    /// An app's signing keys, history included.
    KeysList {
        /// Whose.
        app: AppId,
    },
    /// A new dynamic key now.
    KeysRotate {
        /// Whose.
        app: AppId,
        /// It signs at once, without being published first.
        immediate: bool,
    },
    /// Withdraws a key.
    KeysRevoke {
        /// Whose.
        app: AppId,
        /// Which.
        kid: String,
        /// Why; kept in its history.
        reason: String,
    },
    /// Seals all keys under another master key.
    KeysReseal {
        /// The new one; without it keys are stored plain.
        new: Option<PlainSecret>,
    },
}

/// Which sessions to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revoke {
    /// These.
    Handles(Vec<String>),
    /// All of a user, in one tenant or in all.
    User(String, Option<String>),
}

/// One line of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Frame {
    /// The work goes on; more frames follow.
    Progress(Progress),
    /// Final: the result, its shape depending on the request.
    Done(Value),
    /// Final: one sentence with the cause and the way out.
    Failed(String),
}

/// How far long work has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done, for a person.
    pub doing: String,
    /// Steps done.
    pub done: u64,
    /// Steps in all; 0 when unknown.
    pub total: u64,
}

/// Told how far long work has come.
pub type Report = Arc<dyn Fn(Progress) + Send + Sync>;
