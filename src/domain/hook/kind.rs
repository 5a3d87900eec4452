//! [`HookEventKind`]: what hooks can be told of.

use crate::domain::audit::AuditKind;
use crate::table::table;
use serde::{Deserialize, Serialize};

table! {
    /// What happened. The order is stored: append, never reorder.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub enum HookEventKind {
        /// Somebody created a login method.
        SignedUp, "user.signed_up";
        /// Somebody signed in.
        SignedIn, "user.signed_in";
        /// A sign-in was refused.
        SignInRefused, "user.sign_in_refused";
        /// A password was changed.
        PasswordChanged, "user.password_changed";
        /// A link for a new password was asked for.
        PasswordResetRequested, "user.password_reset_requested";
        /// The e-mail address of a login method was changed; `login` is the new one.
        EmailChanged, "user.email_changed";
        /// The phone number of a login method was changed; `login` is the new one.
        PhoneNumberChanged, "user.phone_number_changed";
        /// An e-mail address was verified.
        EmailVerified, "user.email_verified";
        /// An e-mail address is no longer verified.
        EmailUnverified, "user.email_unverified";
        /// A user was given a role.
        RoleAssigned, "user.role_assigned";
        /// A user lost a role.
        RoleUnassigned, "user.role_unassigned";
        /// A user was made primary.
        MadePrimary, "user.made_primary";
        /// A login method was linked to a user.
        AccountLinked, "user.account_linked";
        /// A login method was separated from its user.
        AccountUnlinked, "user.account_unlinked";
        /// A user got an external id.
        IdMapped, "user.id_mapped";
        /// A user lost its external id.
        IdUnmapped, "user.id_unmapped";
        /// A login method, or the whole user, was deleted.
        Deleted, "user.deleted";
        /// A user was imported.
        Imported, "user.imported";
        /// An authenticator app was verified or imported.
        SecondFactorAdded, "user.second_factor_added";
        /// An authenticator app was removed.
        SecondFactorRemoved, "user.second_factor_removed";
        /// One-time codes are refused for a while, after too many wrong ones.
        CodeLimitReached, "user.code_limit_reached";
        /// A login method was added to a tenant.
        AddedToTenant, "user.added_to_tenant";
        /// A login method was removed from a tenant.
        RemovedFromTenant, "user.removed_from_tenant";
        /// A role was created, or its permissions were changed.
        RoleChanged, "role.changed";
        /// A role was deleted and taken from all users.
        RoleDeleted, "role.deleted";
        /// A session began.
        SessionCreated, "session.created";
        /// A session ended.
        SessionEnded, "session.ended";
        /// A refresh token that had been replaced came back: somebody may have stolen it.
        TheftDetected, "session.theft_detected";
        /// An operator tests the hook.
        Test, "hook.test";
    }
}

/// What `detail` of an event is, and the name that it has there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// The name of a role.
    Role,
    /// The name of an authenticator app.
    Device,
    /// Why, or how, it happened.
    Reason,
}

impl HookEventKind {
    /// What hooks are told when this is recorded in the audit log; `None` for what concerns no user: the
    /// dashboard's own, and limits.
    #[must_use]
    pub const fn of_audit(kind: AuditKind) -> Option<Self> {
        Some(match kind {
            AuditKind::SignedUp => Self::SignedUp,
            AuditKind::SignedIn => Self::SignedIn,
            AuditKind::SignInRefused => Self::SignInRefused,
            AuditKind::PasswordChanged => Self::PasswordChanged,
            AuditKind::PasswordResetRequested => Self::PasswordResetRequested,
            AuditKind::EmailChanged => Self::EmailChanged,
            AuditKind::PhoneNumberChanged => Self::PhoneNumberChanged,
            AuditKind::EmailVerified => Self::EmailVerified,
            AuditKind::EmailUnverified => Self::EmailUnverified,
            AuditKind::RoleAssigned => Self::RoleAssigned,
            AuditKind::RoleUnassigned => Self::RoleUnassigned,
            AuditKind::RoleChanged => Self::RoleChanged,
            AuditKind::RoleRemoved => Self::RoleDeleted,
            AuditKind::MadePrimary => Self::MadePrimary,
            AuditKind::Linked => Self::AccountLinked,
            AuditKind::Unlinked => Self::AccountUnlinked,
            AuditKind::IdMapped => Self::IdMapped,
            AuditKind::IdUnmapped => Self::IdUnmapped,
            AuditKind::UserDeleted => Self::Deleted,
            AuditKind::UserImported => Self::Imported,
            AuditKind::TotpDeviceAdded => Self::SecondFactorAdded,
            AuditKind::TotpDeviceRemoved => Self::SecondFactorRemoved,
            AuditKind::TotpLimitReached => Self::CodeLimitReached,
            AuditKind::AddedToTenant => Self::AddedToTenant,
            AuditKind::RemovedFromTenant => Self::RemovedFromTenant,
            AuditKind::DashboardSignedIn
            | AuditKind::DashboardSignInRefused
            | AuditKind::DashboardUserCreated
            | AuditKind::DashboardUserChanged
            | AuditKind::DashboardUserRemoved
            | AuditKind::LimitReached => return None,
        })
    }

    /// The kinds that a pattern names: a name, `user.*` and the like, or `*`. None if there are no such kinds.
    #[must_use]
    pub fn matching(pattern: &str) -> Vec<Self> {
        let is_meant = |kind: &Self| match pattern.strip_suffix('*') {
            None => kind.name() == pattern,
            Some(group) => (group.is_empty() || group.ends_with('.')) && kind.name().starts_with(group),
        };
        Self::ALL.into_iter().filter(|kind| *kind != Self::Test).filter(is_meant).collect()
    }

    /// What an event's detail is.
    pub(super) const fn detail(self) -> Detail {
        match self {
            Self::RoleAssigned | Self::RoleUnassigned | Self::RoleChanged | Self::RoleDeleted => Detail::Role,
            Self::SecondFactorAdded | Self::SecondFactorRemoved => Detail::Device,
            _ => Detail::Reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_one_kind_a_group_or_all() {
        assert_eq!(HookEventKind::matching("session.ended"), [HookEventKind::SessionEnded]);
        assert_eq!(HookEventKind::matching("session.*").len(), 3);
        assert_eq!(HookEventKind::matching("*").len(), HookEventKind::ALL.len() - 1, "all but the test");
        for nothing in ["", "session", "sess*", "session.e*", "hook.test", "hook.*", "*.ended", "SESSION.*"] {
            assert!(HookEventKind::matching(nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn what_the_audit_log_records_is_an_event_of_its_own_kind() {
        let mut kinds: Vec<_> = AuditKind::ALL.into_iter().filter_map(HookEventKind::of_audit).collect();
        let count = kinds.len();
        kinds.sort_by_key(|kind| kind.name());
        kinds.dedup();
        assert_eq!(kinds.len(), count);
        assert_eq!(AuditKind::ALL.len() - count, 6, "the dashboard's, and limits");
    }
}
