//! What is worth remembering of accounts: who signed in, who was refused, what changed. Holds no secret.

use crate::domain::ids::{TenantId, UserId};
use crate::domain::user::RecipeId;
use crate::table::table;
use serde::{Deserialize, Serialize};

table! {
    /// What happened. The order is stored: append, never reorder.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    pub enum AuditKind {
        /// A login method was created by its user.
        SignedUp, "signed-up";
        /// A user signed in.
        SignedIn, "signed-in";
        /// Somebody was not let in; the detail says why.
        SignInRefused, "sign-in-refused";
        /// A password was changed; the detail says how.
        PasswordChanged, "password-changed";
        /// A token that sets a new password was made.
        PasswordResetRequested, "password-reset-requested";
        /// A login method has another e-mail address; `login` is the new one.
        EmailChanged, "email-changed";
        /// A login method has another phone number; `login` is the new one.
        PhoneNumberChanged, "phone-number-changed";
        /// An e-mail address was verified.
        EmailVerified, "email-verified";
        /// An e-mail address is not verified any more.
        EmailUnverified, "email-unverified";
        /// A user got a role; the detail names it.
        RoleAssigned, "role-assigned";
        /// A user lost a role; the detail names it.
        RoleUnassigned, "role-unassigned";
        /// A role was made, or permits something else; the detail names it.
        RoleChanged, "role-changed";
        /// A role was removed, from all users; the detail names it.
        RoleRemoved, "role-removed";
        /// A user was made primary.
        MadePrimary, "made-primary";
        /// A login method was linked to a user.
        Linked, "linked";
        /// A login method was taken out of a user.
        Unlinked, "unlinked";
        /// An id, shown as that of the login method, got one from outside, by which callers see the user.
        IdMapped, "id-mapped";
        /// An id, shown as that of the login method, lost the one from outside.
        IdUnmapped, "id-unmapped";
        /// A user, or one of its login methods, was deleted.
        UserDeleted, "user-deleted";
        /// A user was brought in from elsewhere.
        UserImported, "user-imported";
        /// An authenticator app was verified or brought in; the detail names it.
        TotpDeviceAdded, "totp-device-added";
        /// An authenticator app was removed; the detail names it.
        TotpDeviceRemoved, "totp-device-removed";
        /// One-time codes are not taken for a while, after too many wrong ones.
        TotpLimitReached, "totp-limit-reached";
        /// A login method may be used in one tenant more.
        AddedToTenant, "added-to-tenant";
        /// A login method may not be used in a tenant any more; its roles there are gone.
        RemovedFromTenant, "removed-from-tenant";
        /// Somebody signed in to the dashboard; user and login are the dashboard's own.
        DashboardSignedIn, "dashboard-signed-in";
        /// Somebody was not let in to the dashboard; the detail says why.
        DashboardSignInRefused, "dashboard-sign-in-refused";
        /// A dashboard user was made.
        DashboardUserCreated, "dashboard-user-created";
        /// A dashboard user was changed, and signed out; the detail says what changed.
        DashboardUserChanged, "dashboard-user-changed";
        /// A dashboard user was removed.
        DashboardUserRemoved, "dashboard-user-removed";
    }
}

impl AuditKind {
    /// The kind with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One entry of the audit log. Time, call and caller are added when it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// What happened.
    pub kind: AuditKind,
    /// To whom, by the id that callers see.
    pub user: Option<UserId>,
    /// To which of the user's login methods, where that is another id.
    pub recipe_user: Option<UserId>,
    /// In which tenant; `None` for the whole app.
    pub tenant: Option<TenantId>,
    /// By which recipe.
    pub recipe: Option<&'static str>,
    /// With which e-mail address, phone number or account: masked.
    pub login: Option<String>,
    /// More, depending on the kind. Never a secret.
    pub detail: Option<String>,
}

impl AuditEvent {
    /// An event that names nobody yet.
    #[must_use]
    pub const fn of(kind: AuditKind) -> Self {
        let (user, recipe_user, tenant, recipe) = (None, None, None, None);
        Self { kind, user, recipe_user, tenant, recipe, login: None, detail: None }
    }

    /// To this user.
    #[must_use]
    pub fn user(self, id: &UserId) -> Self {
        Self { user: Some(id.clone()), ..self }
    }

    /// To this login method.
    #[must_use]
    pub fn recipe_user(self, id: &UserId) -> Self {
        Self { recipe_user: Some(id.clone()), ..self }
    }

    /// In this tenant.
    #[must_use]
    pub fn tenant(self, id: &TenantId) -> Self {
        Self { tenant: Some(id.clone()), ..self }
    }

    /// By this recipe.
    #[must_use]
    pub fn recipe(self, recipe: RecipeId) -> Self {
        Self { recipe: Some(recipe.as_str()), ..self }
    }

    /// With this e-mail address, phone number or account, of which a part is kept.
    #[must_use]
    pub fn login(self, login: &str) -> Self {
        Self { login: Some(masked(login)), ..self }
    }

    /// With more to tell; must not be a secret.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}

/// Enough of an address or number to recognise one that is known, too little to write to one that is not:
/// `j***@example.org`, `+4***67`.
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
