//! Keys: order-preserving tuples inside a keyspace.

mod tuple;

pub use tuple::{Key, KeyReader};

/// A kind of record: one keyspace each (one table or collection in engines that have those).
///
/// The byte is stored: never reuse or renumber one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Keyspace {
    /// Facts about this installation: (name) → text.
    Meta = 1,
    /// Apps: (cud, app) → app record.
    App = 2,
    /// Tenants: (cud, app, tenant) → tenant record.
    Tenant = 3,
    /// Sessions: (cud, app, tenant, handle uuid) → family record.
    Session = 4,
    /// Sessions of a user: (cud, app, user, tenant, handle uuid) → empty.
    SessionByUser = 5,
    /// Timelines of ended sessions: (cud, app, tenant, handle uuid) → events.
    Timeline = 6,
    /// Signing keys and their history: (cud, app, kid) → key record.
    SigningKey = 7,
    /// Refresh-token sealing keys: (cud, app) → sealed key.
    SealingKey = 8,
    /// Roles: (cud, app, role) → incarnation and permissions.
    Role = 9,
    /// Roles by what they permit: (cud, app, permission, role) → empty.
    RoleByPermission = 10,
    /// A user's roles: (cud, app, user, tenant, role) → incarnation of the role.
    UserRole = 11,
    /// A role's users: (cud, app, tenant, role, user) → incarnation of the role.
    RoleUser = 12,
    /// Metadata of users: (cud, app, user) → JSON object.
    UserMetadata = 13,
    /// Verified e-mail addresses: (cud, app, user, e-mail) → since when.
    EmailVerified = 14,
    /// E-mail verification tokens: (cud, app, tenant, token hash) → user and e-mail.
    EmailVerificationToken = 15,
    /// The same by user: (cud, app, user, tenant, e-mail) → series, and with the token hash after it → empty.
    EmailVerificationTokenByUser = 16,
    /// When users were last active: (cud, app, user) → ms.
    UserActive = 17,
    /// Audit log: (cud, app, ms, random) → event.
    AuditEvent = 18,
    /// Users: (cud, app, group id) → all login methods.
    User = 19,
    /// Users of login methods: (cud, app, recipe user id) → group id.
    LoginMethodUser = 20,
    /// Mapped ids: (cud, app, external id) → internal id.
    ExternalUserId = 21,
    /// Unique logins: (cud, app, tenant, recipe, kind, value) → recipe user id.
    LoginIdentity = 22,
    /// Logins by account info: (cud, app, tenant, kind, value, recipe user id) → a plain user, or empty.
    AccountInfo = 23,
    /// Users of a tenant as they were listed at first, ids as text: (cud, app, tenant, recipe, time joined, group id) → empty.
    UserListingV1 = 24,
    /// Account infos of primary users: (cud, app, tenant, kind, value) → group id.
    PrimaryAccountInfo = 25,
    /// Password-reset tokens: (cud, app, token hash) → user and e-mail.
    PasswordResetToken = 26,
    /// The same by user: (cud, app, user) → series, and with the token hash after it → empty.
    PasswordResetTokenByUser = 27,
    /// Providers: (cud, app, tenant, provider's id) → provider.
    ThirdPartyProvider = 28,
    /// Passwordless sign-ins under way: (cud, app, tenant, device hash) → contact, failed attempts, codes.
    PasswordlessDevice = 29,
    /// The same by contact: (cud, app, tenant, kind, contact, device hash) → empty.
    PasswordlessDeviceByContact = 30,
    /// The same by code: (cud, app, tenant, code id, device hash) → empty.
    PasswordlessCode = 31,
    /// The same by link code: (cud, app, tenant, link code's hash, device hash) → empty.
    PasswordlessLinkCode = 32,
    /// Authenticator apps: (cud, app, user) → devices.
    TotpDevices = 34,
    /// Attempts with one-time codes: (cud, app, tenant, user) → wrong ones in a row and codes that are used up.
    TotpAttempts = 35,
    /// The same by user: (cud, app, user, tenant) → empty.
    TotpAttemptsByUser = 36,
    /// Dashboard users: (cud, app, user) → user.
    DashboardUser = 37,
    /// Addresses of dashboard users: (cud, app, e-mail) → user id.
    DashboardUserByEmail = 38,
    /// Dashboard sessions: (cud, app, session id hash) → session.
    DashboardSession = 39,
    /// Users that wait to be imported: (cud, app, id) → user.
    BulkImport = 40,
    /// The same by status: (cud, app, status, id) → empty.
    BulkImportByStatus = 41,
    /// Numbers of a tenant's users: (cud, app, tenant, set of recipes) → counter.
    UserCount = 43,
    /// Numbers of an app's users: (cud, app, set of recipes) → counter.
    AppUserCount = 44,
    /// Imports of users that are under way: (cud, app, import's id) → last step.
    UserImport = 46,
    /// Users of a tenant: (cud, app, tenant, recipe, time joined, group id) → a plain user, or empty.
    UserListing = 47,
}

impl Keyspace {
    /// Every keyspace, for walks over the whole store; in the order of their bytes.
    pub const ALL: [Self; 44] = [
        Self::Meta,
        Self::App,
        Self::Tenant,
        Self::Session,
        Self::SessionByUser,
        Self::Timeline,
        Self::SigningKey,
        Self::SealingKey,
        Self::Role,
        Self::RoleByPermission,
        Self::UserRole,
        Self::RoleUser,
        Self::UserMetadata,
        Self::EmailVerified,
        Self::EmailVerificationToken,
        Self::EmailVerificationTokenByUser,
        Self::UserActive,
        Self::AuditEvent,
        Self::User,
        Self::LoginMethodUser,
        Self::ExternalUserId,
        Self::LoginIdentity,
        Self::AccountInfo,
        Self::UserListingV1,
        Self::PrimaryAccountInfo,
        Self::PasswordResetToken,
        Self::PasswordResetTokenByUser,
        Self::ThirdPartyProvider,
        Self::PasswordlessDevice,
        Self::PasswordlessDeviceByContact,
        Self::PasswordlessCode,
        Self::PasswordlessLinkCode,
        Self::TotpDevices,
        Self::TotpAttempts,
        Self::TotpAttemptsByUser,
        Self::DashboardUser,
        Self::DashboardUserByEmail,
        Self::DashboardSession,
        Self::BulkImport,
        Self::BulkImportByStatus,
        Self::UserCount,
        Self::AppUserCount,
        Self::UserImport,
        Self::UserListing,
    ];

    /// The keyspace with this byte.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|keyspace| *keyspace as u8 == byte)
    }

    /// To what its rows belong.
    #[must_use]
    pub const fn belongs(self) -> Belongs {
        match self {
            Self::Meta => Belongs::Installation,
            Self::App
            | Self::SigningKey
            | Self::SealingKey
            | Self::Role
            | Self::RoleByPermission
            | Self::UserMetadata
            | Self::EmailVerified
            | Self::UserActive
            | Self::AuditEvent
            | Self::User
            | Self::LoginMethodUser
            | Self::ExternalUserId
            | Self::PasswordResetToken
            | Self::PasswordResetTokenByUser
            | Self::TotpDevices
            | Self::DashboardUser
            | Self::DashboardUserByEmail
            | Self::DashboardSession
            | Self::BulkImport
            | Self::BulkImportByStatus
            | Self::AppUserCount
            | Self::UserImport => Belongs::App,
            Self::Tenant
            | Self::Session
            | Self::Timeline
            | Self::RoleUser
            | Self::EmailVerificationToken
            | Self::LoginIdentity
            | Self::AccountInfo
            | Self::UserListing
            | Self::UserListingV1
            | Self::PrimaryAccountInfo
            | Self::ThirdPartyProvider
            | Self::PasswordlessDevice
            | Self::PasswordlessDeviceByContact
            | Self::PasswordlessCode
            | Self::PasswordlessLinkCode
            | Self::TotpAttempts
            | Self::UserCount => Belongs::Tenant,
            Self::SessionByUser | Self::UserRole | Self::EmailVerificationTokenByUser | Self::TotpAttemptsByUser => {
                Belongs::TenantIndex
            }
        }
    }

    /// The name used in messages and by engines with tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::App => "app",
            Self::Tenant => "tenant",
            Self::Session => "session",
            Self::SessionByUser => "session_by_user",
            Self::Timeline => "timeline",
            Self::SigningKey => "signing_key",
            Self::SealingKey => "sealing_key",
            Self::Role => "role",
            Self::RoleByPermission => "role_by_permission",
            Self::UserRole => "user_role",
            Self::RoleUser => "role_user",
            Self::UserMetadata => "user_metadata",
            Self::EmailVerified => "email_verified",
            Self::EmailVerificationToken => "email_verification_token",
            Self::EmailVerificationTokenByUser => "email_verification_token_by_user",
            Self::UserActive => "user_active",
            Self::AuditEvent => "audit_event",
            Self::User => "user",
            Self::LoginMethodUser => "login_method_user",
            Self::ExternalUserId => "external_user_id",
            Self::LoginIdentity => "login_identity",
            Self::AccountInfo => "account_info",
            Self::UserListing => "user_listing",
            Self::UserListingV1 => "user_listing_v1",
            Self::PrimaryAccountInfo => "primary_account_info",
            Self::PasswordResetToken => "password_reset_token",
            Self::PasswordResetTokenByUser => "password_reset_token_by_user",
            Self::ThirdPartyProvider => "third_party_provider",
            Self::PasswordlessDevice => "passwordless_device",
            Self::PasswordlessDeviceByContact => "passwordless_device_by_contact",
            Self::PasswordlessCode => "passwordless_code",
            Self::PasswordlessLinkCode => "passwordless_link_code",
            Self::TotpDevices => "totp_devices",
            Self::TotpAttempts => "totp_attempts",
            Self::TotpAttemptsByUser => "totp_attempts_by_user",
            Self::DashboardUser => "dashboard_user",
            Self::DashboardUserByEmail => "dashboard_user_by_email",
            Self::DashboardSession => "dashboard_session",
            Self::BulkImport => "bulk_import",
            Self::BulkImportByStatus => "bulk_import_by_status",
            Self::UserCount => "user_count",
            Self::AppUserCount => "app_user_count",
            Self::UserImport => "user_import",
        }
    }
}

/// To what the rows of a keyspace belong: what they are removed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs {
    /// To the installation; keys are free-form.
    Installation,
    /// To an app: keys begin with domain and app.
    App,
    /// To a tenant: keys begin with domain, app and tenant.
    Tenant,
    /// To rows of a tenant, which lead to them; keys begin with domain and app, the tenant comes later.
    TenantIndex,
}
