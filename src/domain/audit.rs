//! Account events worth recording: who signed in, who was refused, what changed. They hold no secrets.

use crate::domain::ids::{TenantId, UserId};
use crate::domain::user::RecipeId;
use crate::table::table;
use serde::{Deserialize, Serialize};
use std::fmt;

table! {
    /// What happened. The order is stored: append, never reorder.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    pub enum AuditKind {
        /// A login method was created by its user.
        SignedUp, "signed-up";
        /// A user signed in.
        SignedIn, "signed-in";
        /// A sign-in was refused; the detail says why.
        SignInRefused, "sign-in-refused";
        /// A password was changed; the detail says how.
        PasswordChanged, "password-changed";
        /// A password-reset token was created.
        PasswordResetRequested, "password-reset-requested";
        /// The e-mail address of a login method was changed; `login` is the new one.
        EmailChanged, "email-changed";
        /// The phone number of a login method was changed; `login` is the new one.
        PhoneNumberChanged, "phone-number-changed";
        /// An e-mail address was verified.
        EmailVerified, "email-verified";
        /// An e-mail address is no longer verified.
        EmailUnverified, "email-unverified";
        /// A user was given a role; the detail names it.
        RoleAssigned, "role-assigned";
        /// A user lost a role; the detail names it.
        RoleUnassigned, "role-unassigned";
        /// A role was created or its permissions were changed; the detail names it.
        RoleChanged, "role-changed";
        /// A role was deleted and taken from all users; the detail names it.
        RoleRemoved, "role-removed";
        /// A user was made primary.
        MadePrimary, "made-primary";
        /// A login method was linked to a user.
        Linked, "linked";
        /// A login method was separated from its user.
        Unlinked, "unlinked";
        /// A login method's id was mapped to an external id, which callers now see as the user's id.
        IdMapped, "id-mapped";
        /// A login method's id was unmapped from its external id.
        IdUnmapped, "id-unmapped";
        /// A user, or one of its login methods, was deleted.
        UserDeleted, "user-deleted";
        /// A user was imported.
        UserImported, "user-imported";
        /// An authenticator app was verified or imported; the detail names it.
        TotpDeviceAdded, "totp-device-added";
        /// An authenticator app was removed; the detail names it.
        TotpDeviceRemoved, "totp-device-removed";
        /// One-time codes are refused for a while, after too many wrong ones.
        TotpLimitReached, "totp-limit-reached";
        /// A login method was added to a tenant.
        AddedToTenant, "added-to-tenant";
        /// A login method was removed from a tenant; its roles there are gone.
        RemovedFromTenant, "removed-from-tenant";
        /// A dashboard user signed in; user and login are the dashboard's own.
        DashboardSignedIn, "dashboard-signed-in";
        /// A sign-in to the dashboard was refused; the detail says why.
        DashboardSignInRefused, "dashboard-sign-in-refused";
        /// A dashboard user was created.
        DashboardUserCreated, "dashboard-user-created";
        /// A dashboard user was changed and signed out; the detail says what changed.
        DashboardUserChanged, "dashboard-user-changed";
        /// A dashboard user was deleted.
        DashboardUserRemoved, "dashboard-user-removed";
        /// Requests to the front door are refused for a while, because there were too many; the detail names the limit.
        LimitReached, "limit-reached";
    }
}

impl AuditKind {
    /// The kind with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What is to be recorded in the audit log, and told to hooks. The time, the call and the caller are added when it is
/// written.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// What happened.
    pub kind: AuditKind,
    /// The user it happened to, by the id that callers see.
    pub user: Option<UserId>,
    /// The login method it happened to, where its id differs from the user's.
    pub recipe_user: Option<UserId>,
    /// The tenant it happened in; `None` for the whole app.
    pub tenant: Option<TenantId>,
    /// The recipe that caused it.
    pub recipe: Option<&'static str>,
    /// The e-mail address, phone number or account that was used. The audit log keeps only a [`masked`] form.
    pub login: Option<String>,
    /// Further detail, depending on the kind. Never a secret.
    pub detail: Option<String>,
}

impl fmt::Debug for AuditEvent {
    /// Leaves out the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditEvent").field("kind", &self.kind).field("user", &self.user).finish_non_exhaustive()
    }
}

impl AuditEvent {
    /// An event of this kind, with every other field empty.
    #[must_use]
    pub const fn of(kind: AuditKind) -> Self {
        let (user, recipe_user, tenant, recipe) = (None, None, None, None);
        Self { kind, user, recipe_user, tenant, recipe, login: None, detail: None }
    }

    /// Sets the user it happened to.
    #[must_use]
    pub fn user(self, id: &UserId) -> Self {
        Self { user: Some(id.clone()), ..self }
    }

    /// Sets the login method it happened to.
    #[must_use]
    pub fn recipe_user(self, id: &UserId) -> Self {
        Self { recipe_user: Some(id.clone()), ..self }
    }

    /// Sets the tenant it happened in.
    #[must_use]
    pub fn tenant(self, id: &TenantId) -> Self {
        Self { tenant: Some(id.clone()), ..self }
    }

    /// Sets the recipe that caused it.
    #[must_use]
    pub fn recipe(self, recipe: RecipeId) -> Self {
        Self { recipe: Some(recipe.as_str()), ..self }
    }

    /// Sets the e-mail address, phone number or account that was used.
    #[must_use]
    pub fn login(self, login: &str) -> Self {
        Self { login: Some(login.to_owned()), ..self }
    }

    /// Sets the further detail; it must not be a secret.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}

/// Enough of an address or number to recognise a known one, too little to reach an unknown one: `j***@example.org`,
/// `+4***67`.
#[must_use]
pub fn masked(login: &str) -> String {
    const MAX_HOST: usize = 100;
    let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
    if let Some((local, host)) = login.rsplit_once('@') {
        let host: String = host.chars().take(MAX_HOST).collect();
        return format!("{}***@{host}", first(local));
    }
    let length = login.chars().count();
    if length < 8 {
        return format!("{}***", first(login));
    }
    let (head, tail): (String, String) = (login.chars().take(2).collect(), login.chars().skip(length - 2).collect());
    format!("{head}***{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_numbers_are_masked() {
        for (login, shown) in [
            ("jane@example.org", "j***@example.org"),
            ("@example.org", "***@example.org"),
            ("\"a@b\"@example.org", "\"***@example.org"),
            ("+491701234567", "+4***67"),
            ("12345", "1***"),
            ("übergang", "üb***ng"),
            ("", "***"),
        ] {
            assert_eq!(masked(login), shown);
        }
        assert!(masked(&format!("a@{}", "b".repeat(10_000))).len() < 200);
    }

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in AuditKind::ALL {
            assert_eq!(AuditKind::named(kind.name()), Some(kind));
        }
        assert_eq!(AuditKind::named("SignedUp"), None);
    }
}
