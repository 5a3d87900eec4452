//! Maps keys to record types, for walks over rows of all kinds.

use super::codec::{self, Record};
use super::key::KeyReader;
use super::{Encoding, Key, Keyspace, StoreError};
use super::{
    activity, app, audit, bulk_import, counter, dashboard, emailverification, hook_event, kept_row, key_vault, outbox,
    passwordreset, provider,
};
use super::{
    removal, sealing_key, session, signing_key, tenant, timeline, totp, user, user_import, usermetadata, userroles,
};
use crate::domain::passwordless::Device;

/// Checks whether `bytes` can be read as the kind of record that belongs at `key`.
///
/// # Errors
/// [`StoreError::Damaged`] when they cannot.
pub fn check(encoding: Encoding, key: &Key, bytes: &[u8]) -> Result<(), StoreError> {
    Row { encoding, key, bytes, write: false }.read().map(drop)
}

/// The bytes of the record at `key` in the current encoding: decoded, converted to the newest version, encoded again.
///
/// # Errors
/// [`StoreError::Damaged`] if `bytes` are not a record of the kind that belongs there; [`StoreError::TooLarge`] if it
/// has grown beyond the limit.
pub fn rewrite(encoding: Encoding, key: &Key, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    Row { encoding, key, bytes, write: true }.read()
}

struct Row<'a> {
    encoding: Encoding,
    key: &'a Key,
    bytes: &'a [u8],
    /// True to encode what was read; otherwise the result is empty.
    write: bool,
}

impl Row<'_> {
    fn read(&self) -> Result<Vec<u8>, StoreError> {
        match self.key.keyspace {
            Keyspace::Meta => self.fact(),
            Keyspace::App => self.again::<app::AppRecord>(),
            Keyspace::Tenant => self.again::<tenant::TenantRecord>(),
            Keyspace::Session => self.again::<session::SessionRecord>(),
            Keyspace::Timeline => self.again::<timeline::TimelineRecord>(),
            Keyspace::EndedClients => self.again::<session::clients::EndedClientsRecord>(),
            Keyspace::SigningKey => self.again::<signing_key::SigningKeyRecord>(),
            Keyspace::SealingKey => self.again::<sealing_key::SealingKeyRecord>(),
            Keyspace::Role => self.again::<userroles::RoleRecord>(),
            Keyspace::UserRole => self.again::<userroles::assignment::UserRoleRecord>(),
            Keyspace::RoleUser => self.again::<userroles::assignment::RoleUserRecord>(),
            Keyspace::UserMetadata => self.again::<usermetadata::UserMetadataRecord>(),
            Keyspace::EmailVerified => self.again::<emailverification::VerifiedRecord>(),
            Keyspace::EmailVerificationToken => self.again::<emailverification::VerificationTokenRecord>(),
            Keyspace::EmailVerificationTokenByUser => {
                self.again_or_marker::<emailverification::VerificationSeriesRecord>()
            }
            Keyspace::UserActive => self.again::<activity::ActiveRecord>(),
            Keyspace::AuditEvent => self.again::<audit::AuditRecord>(),
            Keyspace::User => self.again::<user::UserRecord>(),
            Keyspace::LoginMethodUser => self.again::<user::LoginMethodUserRecord>(),
            Keyspace::ExternalUserId => self.again::<user::ExternalUserIdRecord>(),
            Keyspace::LoginIdentity => self.again::<user::LoginIdentityRecord>(),
            Keyspace::AccountInfo => self.again_or_marker::<user::AccountInfoRecord>(),
            Keyspace::UserListing => self.again_or_marker::<user::UserListingRecord>(),
            Keyspace::PrimaryAccountInfo => self.again::<user::PrimaryAccountInfoRecord>(),
            Keyspace::PasswordResetToken => self.again::<passwordreset::ResetTokenRecord>(),
            Keyspace::PasswordResetTokenByUser => self.again_or_marker::<passwordreset::ResetSeriesRecord>(),
            Keyspace::ThirdPartyProvider => self.again::<provider::ProviderRecord>(),
            Keyspace::PasswordlessDevice => self.again::<Device>(),
            Keyspace::TotpDevices => self.again::<totp::TotpDevicesRecord>(),
            Keyspace::TotpAttempts => self.again::<totp::TotpAttemptsRecord>(),
            Keyspace::DashboardUser => self.again::<dashboard::DashboardUserRecord>(),
            Keyspace::DashboardUserByEmail => self.again::<dashboard::DashboardEmailRecord>(),
            Keyspace::DashboardSession => self.again::<dashboard::DashboardSessionRecord>(),
            Keyspace::BulkImport => self.again::<bulk_import::BulkImportRecord>(),
            Keyspace::HookEvent => self.again::<hook_event::HookEventRecord>(),
            Keyspace::Outbox => self.again::<outbox::OutboxRecord>(),
            Keyspace::KeptRow => self.again::<kept_row::KeptRowRecord>(),
            Keyspace::UserImport => self.again::<user_import::ImportRecord>(),
            Keyspace::UserCount | Keyspace::AppUserCount | Keyspace::ActiveUserCount => self.counter(),
            Keyspace::SessionByUser
            | Keyspace::RoleByPermission
            | Keyspace::UserListingV1
            | Keyspace::PasswordlessDeviceByContact
            | Keyspace::PasswordlessCode
            | Keyspace::PasswordlessLinkCode
            | Keyspace::TotpAttemptsByUser
            | Keyspace::BulkImportByStatus => self.marker(),
        }
    }

    fn again<R: Record>(&self) -> Result<Vec<u8>, StoreError> {
        let record = codec::decode::<R>(self.encoding, self.key, self.bytes)?;
        if self.write { codec::encode(self.encoding, self.key, &record) } else { Ok(Vec::new()) }
    }

    fn again_or_marker<R: Record>(&self) -> Result<Vec<u8>, StoreError> {
        if self.bytes.is_empty() { Ok(Vec::new()) } else { self.again::<R>() }
    }

    fn marker(&self) -> Result<Vec<u8>, StoreError> {
        if self.bytes.is_empty() {
            return Ok(Vec::new());
        }
        Err(codec::damaged(self.key, "an index key has a value".to_owned()))
    }

    fn counter(&self) -> Result<Vec<u8>, StoreError> {
        let number = counter::decode(self.encoding, self.key, Some(self.bytes))?;
        let stored = counter::encode(self.encoding, self.key, number);
        stored.ok_or_else(|| codec::damaged(self.key, "a counter of 0 is stored".to_owned()))
    }

    /// Facts about the installation are distinguished by name; those with an unknown name are only checked as bytes.
    fn fact(&self) -> Result<Vec<u8>, StoreError> {
        match KeyReader::new(self.key).text().as_deref() {
            Some(key_vault::NAME) => self.again::<key_vault::KeyVaultRecord>(),
            Some(removal::PREFIX) => self.again::<removal::RemovalRecord>(),
            Some(userroles::removal::PREFIX) => self.again::<userroles::removal::RoleRemovalRecord>(),
            _ => codec::check(self.encoding, self.key, self.bytes).map(|()| self.bytes.to_vec()),
        }
    }
}
