//! The messages on the control socket.

use crate::control::payload::{NewTenant, PlainSecret, UserLines, UsersWanted, WantedImport};
use crate::domain::ids::AppId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use uuid::Uuid;

/// The longest line that either side accepts, in bytes. Requests are small; replies can list many sessions.
pub(super) const MAX_LINE: u64 = 64 * 1024 * 1024;

/// A command to a running server; one JSON object on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Request {
    /// Asks who the server is and whether it serves. Answered as soon as the socket exists.
    Ready,
    /// Stops the server gracefully. Answered before the stop begins.
    Stop,
    /// Returns the effective settings, with secrets masked.
    Config,
    /// Returns what the server has seen that does not fit in its set-up.
    Doctor,
    /// Writes a backup into a new folder, while serving.
    Backup {
        /// The folder's absolute path, as the server sees it.
        #[serde(with = "super::path")]
        to: PathBuf,
    },
    /// Reads everything and reports what is damaged or inconsistent.
    Check,
    /// Gives back disk space, while serving.
    Compact,
    /// Executes a task on the data.
    #[serde(untagged)]
    Task(Task),
}

/// Work done by a server, or by the command line itself on a folder that no server uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Task {
    /// Lists a user's live sessions.
    SessionsList {
        /// The app of the user.
        app: AppId,
        /// The user's id.
        user: String,
        /// The tenant of the sessions; the whole app without.
        tenant: Option<String>,
    },
    /// Returns a session's timeline, even after its end.
    SessionsWhy {
        /// The app of the session.
        app: AppId,
        /// The session's handle.
        handle: String,
    },
    /// Ends sessions.
    SessionsRevoke {
        /// The app of the sessions.
        app: AppId,
        /// The sessions to end.
        #[serde(flatten)]
        which: Revoke,
    },
    /// Returns a page of users.
    UsersList {
        /// The app of the users.
        app: AppId,
        /// The users to list.
        #[serde(flatten)]
        wanted: UsersWanted,
    },
    /// Returns one user, found by any of its ids.
    UsersShow {
        /// The app of the user.
        app: AppId,
        /// Any of the user's ids.
        user: String,
    },
    /// Deletes a user with everything kept for it.
    UsersDelete {
        /// The app of the user.
        app: AppId,
        /// Any of the user's ids.
        user: String,
        /// Whether to delete only the login method with this id and keep the others.
        only_method: bool,
    },
    /// Imports users, one per line.
    UsersImport {
        /// The app to import into.
        app: AppId,
        /// The tenant for users that name no tenants.
        tenant: String,
        /// The lines.
        lines: UserLines,
        /// The id of the import that they are part of.
        import: Uuid,
        /// The number of the step that they make up.
        step: u64,
    },
    /// Ends an import: the server forgets its steps.
    UsersImportEnd {
        /// The app that was imported into.
        app: AppId,
        /// The id of the import.
        import: Uuid,
    },
    /// Lists the dashboard users of an app.
    DashboardUsersList {
        /// The app of the dashboard.
        app: AppId,
    },
    /// Creates a dashboard user.
    DashboardUsersCreate {
        /// The app of the dashboard.
        app: AppId,
        /// The address to sign in with.
        email: String,
        /// The password to sign in with.
        password: PlainSecret,
    },
    /// Deletes a dashboard user.
    DashboardUsersDelete {
        /// The app of the dashboard.
        app: AppId,
        /// The dashboard user's id or e-mail address.
        user: String,
    },
    /// Lists all apps.
    AppsList,
    /// Returns one app.
    AppsShow {
        /// The app to return.
        app: AppId,
    },
    /// Creates an app.
    AppsCreate {
        /// Its id.
        app: AppId,
        /// Its own settings and factors.
        new: NewTenant,
    },
    /// Deletes an app with everything in it.
    AppsDelete {
        /// The app to delete.
        app: AppId,
        /// Whether to delete its tenants too; if not, an app that has some is refused.
        with_tenants: bool,
    },
    /// Writes an archive of an app.
    AppsExport {
        /// The app to export.
        app: AppId,
        /// The file's absolute path, as the server sees it.
        #[serde(with = "super::path")]
        to: PathBuf,
        /// The key to seal the signing keys with.
        key: Option<PlainSecret>,
        /// Whether to write the signing keys unsealed although they are sealed here.
        plain: bool,
    },
    /// Creates an app from an archive.
    AppsImport(WantedImport),
    /// Lists the tenants of an app.
    TenantsList {
        /// The app of the tenants.
        app: AppId,
    },
    /// Returns one tenant.
    TenantsShow {
        /// The app of the tenant.
        app: AppId,
        /// The tenant to return.
        tenant: String,
    },
    /// Creates a tenant.
    TenantsCreate {
        /// The app to create it in.
        app: AppId,
        /// Its id.
        tenant: String,
        /// Its own settings and factors.
        new: NewTenant,
    },
    /// Deletes a tenant with everything in it; users stay in the app.
    TenantsDelete {
        /// The app of the tenant.
        app: AppId,
        /// The tenant to delete.
        tenant: String,
    },
    /// Reads the audit log, newest first.
    Audit {
        /// The app whose events are read.
        app: AppId,
        /// Only events about this user.
        user: Option<String>,
        /// Only events of this kind, by its name.
        kind: Option<String>,
        /// The most events to return.
        limit: u32,
        /// Only events from this moment on, in ms since 1970.
        from: Option<u64>,
        /// Only events before this moment, in ms since 1970.
        to: Option<u64>,
    },
    /// Sends a test mail at once.
    MailTest {
        /// The app whose settings are tested.
        app: AppId,
        /// The recipient's address.
        to: String,
    },
    /// Lists mails that are not sent yet, oldest first.
    MailList {
        /// The app of the mails.
        app: AppId,
        /// The most mails to return.
        limit: u32,
    },
    /// Has mails tried again now.
    MailRetry {
        /// The app of the mails.
        app: AppId,
        /// The mail; all without.
        id: Option<Uuid>,
    },
    /// Removes a mail unsent.
    MailDrop {
        /// The app of the mail.
        app: AppId,
        /// The mail.
        id: Uuid,
    },
    /// Tells an app's event hooks of a test event at once.
    HooksTest {
        /// The app whose hooks are tested.
        app: AppId,
    },
    /// Lists events that hooks have not taken yet: by hook, oldest first.
    HooksList {
        /// The app of the hooks.
        app: AppId,
        /// The most events to return.
        limit: u32,
    },
    /// Has hooks told of events again now.
    HooksRetry {
        /// The app of the hooks.
        app: AppId,
        /// The event; all without.
        id: Option<Uuid>,
    },
    /// Removes events untold.
    HooksDrop {
        /// The app of the hooks.
        app: AppId,
        /// The event; all without.
        id: Option<Uuid>,
    },
    /// Lists an app's signing keys, with their history.
    KeysList {
        /// The app of the keys.
        app: AppId,
    },
    /// Makes a new dynamic key now.
    KeysRotate {
        /// The app of the key.
        app: AppId,
        /// Whether it signs at once, without being published first.
        immediate: bool,
    },
    /// Withdraws a key.
    KeysRevoke {
        /// The app of the key.
        app: AppId,
        /// The key's id.
        kid: String,
        /// The reason, kept in the key's history.
        reason: String,
    },
    /// Seals all keys under another master key.
    KeysReseal {
        /// The new master key; without it, keys are stored unsealed.
        new: Option<PlainSecret>,
    },
}

/// The sessions to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revoke {
    /// The sessions with these handles.
    Handles(Vec<String>),
    /// All sessions of a user, in one tenant or in all.
    User(String, Option<String>),
}

/// One line of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Frame {
    /// Progress: the work continues, and more frames follow.
    Progress(WorkProgress),
    /// Final: the result, its shape depending on the request.
    Done(Value),
    /// Final: an error, as one sentence with the cause and the way out.
    Failed(String),
}

/// The progress of long work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkProgress {
    /// What is being done, as text for a person.
    pub doing: String,
    /// Steps done.
    pub done: u64,
    /// Steps in all; 0 when unknown.
    pub total: u64,
}

/// A function that is called with the progress of long work.
pub type Report = Arc<dyn Fn(WorkProgress) + Send + Sync>;
