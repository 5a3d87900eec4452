//! Keys: order-preserving tuples inside a keyspace.

mod tuple;

use crate::table::table;
pub use tuple::{Key, KeyReader};

table! {
    /// A kind of record: one keyspace each (one table or collection in engines that have those).
    ///
    /// The byte is stored: never reuse or renumber one. In the order of their bytes.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[repr(u8)]
    pub enum Keyspace {
        /// Facts about this installation: (name) → text.
        Meta = 1, "meta", Installation;
        /// Apps: (cud, app) → app record.
        App = 2, "app", App;
        /// Tenants: (cud, app, tenant) → tenant record.
        Tenant = 3, "tenant", Tenant;
        /// Sessions: (cud, app, tenant, handle uuid) → family record.
        Session = 4, "session", Tenant;
        /// Sessions of a user: (cud, app, user, tenant, handle uuid) → empty.
        SessionByUser = 5, "session_by_user", TenantIndex;
        /// Timelines of ended sessions: (cud, app, tenant, handle uuid) → events.
        Timeline = 6, "timeline", Tenant;
        /// Signing keys and their history: (cud, app, kid) → key record.
        SigningKey = 7, "signing_key", App;
        /// Refresh-token sealing keys: (cud, app) → sealed key.
        SealingKey = 8, "sealing_key", App;
        /// Roles: (cud, app, role) → incarnation and permissions.
        Role = 9, "role", App;
        /// Roles by permission: (cud, app, permission, role) → empty.
        RoleByPermission = 10, "role_by_permission", App;
        /// A user's roles: (cud, app, user, tenant, role) → incarnation of the role.
        UserRole = 11, "user_role", TenantIndex;
        /// A role's users: (cud, app, tenant, role, user) → incarnation of the role.
        RoleUser = 12, "role_user", Tenant;
        /// Metadata of users: (cud, app, user) → JSON object.
        UserMetadata = 13, "user_metadata", App;
        /// Verified e-mail addresses: (cud, app, user, e-mail) → time of verification.
        EmailVerified = 14, "email_verified", App;
        /// E-mail verification tokens: (cud, app, tenant, token hash) → user and e-mail.
        EmailVerificationToken = 15, "email_verification_token", Tenant;
        /// The same by user: (cud, app, user, tenant, e-mail) → series, and with the token hash after it → empty.
        EmailVerificationTokenByUser = 16, "email_verification_token_by_user", TenantIndex;
        /// When users were last active: (cud, app, user) → ms.
        UserActive = 17, "user_active", App;
        /// Audit log: (cud, app, ms, random) → event.
        AuditEvent = 18, "audit_event", App;
        /// Users: (cud, app, group id) → all login methods.
        User = 19, "user", App;
        /// Users of login methods: (cud, app, recipe user id) → group id.
        LoginMethodUser = 20, "login_method_user", App;
        /// Mapped ids: (cud, app, external id) → internal id.
        ExternalUserId = 21, "external_user_id", App;
        /// Unique logins: (cud, app, tenant, recipe, kind, value) → recipe user id.
        LoginIdentity = 22, "login_identity", Tenant;
        /// Logins by account info: (cud, app, tenant, kind, value, recipe user id) → a plain user, or empty.
        AccountInfo = 23, "account_info", Tenant;
        /// Users of a tenant in the original layout, ids as text: (cud, app, tenant, recipe, time joined, group id) →
        /// empty.
        UserListingV1 = 24, "user_listing_v1", Tenant;
        /// Account infos of primary users: (cud, app, tenant, kind, value) → group id.
        PrimaryAccountInfo = 25, "primary_account_info", Tenant;
        /// Password-reset tokens: (cud, app, token hash) → user and e-mail.
        PasswordResetToken = 26, "password_reset_token", App;
        /// The same by user: (cud, app, user) → series, and with the token hash after it → empty.
        PasswordResetTokenByUser = 27, "password_reset_token_by_user", App;
        /// Providers: (cud, app, tenant, provider's id) → provider.
        ThirdPartyProvider = 28, "third_party_provider", Tenant;
        /// Pending passwordless sign-ins: (cud, app, tenant, device hash) → contact, failed attempts, codes.
        PasswordlessDevice = 29, "passwordless_device", Tenant;
        /// The same by contact: (cud, app, tenant, kind, contact, device hash) → empty.
        PasswordlessDeviceByContact = 30, "passwordless_device_by_contact", Tenant;
        /// The same by code: (cud, app, tenant, code id, device hash) → empty.
        PasswordlessCode = 31, "passwordless_code", Tenant;
        /// The same by link code: (cud, app, tenant, link code's hash, device hash) → empty.
        PasswordlessLinkCode = 32, "passwordless_link_code", Tenant;
        /// Authenticator apps: (cud, app, user) → devices.
        TotpDevices = 34, "totp_devices", App;
        /// Attempts with one-time codes: (cud, app, tenant, user) → consecutive wrong ones and used codes.
        TotpAttempts = 35, "totp_attempts", Tenant;
        /// The same by user: (cud, app, user, tenant) → empty.
        TotpAttemptsByUser = 36, "totp_attempts_by_user", TenantIndex;
        /// Dashboard users: (cud, app, user) → user.
        DashboardUser = 37, "dashboard_user", App;
        /// Addresses of dashboard users: (cud, app, e-mail) → user id.
        DashboardUserByEmail = 38, "dashboard_user_by_email", App;
        /// Dashboard sessions: (cud, app, session id hash) → session.
        DashboardSession = 39, "dashboard_session", App;
        /// Users waiting to be imported: (cud, app, id) → user.
        BulkImport = 40, "bulk_import", App;
        /// The same by status: (cud, app, status, id) → empty.
        BulkImportByStatus = 41, "bulk_import_by_status", App;
        /// Number of users of a tenant: (cud, app, tenant, set of recipes) → counter.
        UserCount = 43, "user_count", Tenant;
        /// Number of users of an app: (cud, app, set of recipes) → counter.
        AppUserCount = 44, "app_user_count", App;
        /// Imports of users in progress: (cud, app, import's id) → last step.
        UserImport = 46, "user_import", App;
        /// Users of a tenant: (cud, app, tenant, recipe, time joined, group id) → a plain user, or empty.
        UserListing = 47, "user_listing", Tenant;
        /// Number of users of an app by their last activity: (cud, app, level, slot of time) → counter.
        ActiveUserCount = 48, "active_user_count", App;
        /// Mails to be sent: (cud, app, tenant, id) → mail, sealed.
        Outbox = 49, "outbox", Tenant;
        /// Events that hooks are to be told: (cud, app, hook, id) → event, sealed.
        HookEvent = 50, "hook_event", App;
        /// Clients of ended sessions: (cud, app, user, tenant, handle uuid) → browsers and addresses.
        EndedClients = 51, "ended_clients", TenantIndex;
        /// Rows of an original core that no recipe reads yet: (cud, app, table, number) → row, sealed.
        KeptRow = 52, "kept_row", App;
    }
}

impl Keyspace {
    /// The keyspace with this byte.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|keyspace| *keyspace as u8 == byte)
    }

    /// Whether its rows are messages to be sent, which a copy of them would send again.
    #[must_use]
    pub const fn is_on_its_way(self) -> bool {
        matches!(self, Self::Outbox | Self::HookEvent)
    }
}

/// The owner of the rows of a keyspace, with which they are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs {
    /// The installation; keys are free-form.
    Installation,
    /// An app: keys begin with domain and app.
    App,
    /// A tenant: keys begin with domain, app and tenant.
    Tenant,
    /// Rows of a tenant, from which the keys can be derived; keys begin with domain and app, the tenant comes later.
    TenantIndex,
}
