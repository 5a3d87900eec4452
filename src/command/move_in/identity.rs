//! Users and their login methods: collected from several tables, then written.

use super::error::{MoveInError, RowError};
use super::report::{Fate, Report};
use super::writer::Writer;
use crate::crypto::password::StoredHash;
use crate::domain::ids::{AppId, TenantId, UserId, canonical_uuid};
use crate::domain::time::UnixMillis;
use crate::domain::user::{
    ExternalId, Login, LoginMethod, PasswordHash, ThirdPartyAccount, User, normalise_email, normalise_phone_number,
};
use crate::move_in::row::Record;
use crate::store::{emailverification, user};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// The tables that are collected.
pub(super) const TABLES: [&str; 9] = [
    "all_auth_recipe_users",
    "app_id_to_user_id",
    "emailpassword_users",
    "passwordless_users",
    "recipe_user_tenants",
    "thirdparty_users",
    "userid_mapping",
    "webauthn_credentials",
    "webauthn_users",
];

/// An internal id with its app's place.
type Place = (u16, Uuid);

/// What the tables say about one internal id.
#[derive(Default)]
struct Collected {
    /// The group it belongs to; its own id if no table says otherwise.
    group: Option<Uuid>,
    is_primary: bool,
    /// Whether the vendor's script of 12.0 has not reached it yet.
    awaits_backfill: bool,
    login: Option<Login>,
    time_joined: u64,
    external: Option<Box<ExternalId>>,
    /// By `all_auth_recipe_users`.
    tenants: Vec<u16>,
    /// By `recipe_user_tenants`.
    new_tenants: Vec<u16>,
}

/// Which tables hold the tenants of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MigrationMode {
    /// `LEGACY`, `DUAL_WRITE_READ_OLD`: the tables of releases before 12.
    Old,
    /// `DUAL_WRITE_READ_NEW`, `MIGRATED`: the tables added in 12.
    New,
}

impl MigrationMode {
    /// The mode with this name in the original.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "LEGACY" | "DUAL_WRITE_READ_OLD" => Some(Self::Old),
            "DUAL_WRITE_READ_NEW" | "MIGRATED" => Some(Self::New),
            _ => None,
        }
    }
}

/// The users of a dump, while they are collected.
#[derive(Default)]
pub(super) struct Identities {
    apps: Numbered<AppId>,
    /// Those of all apps share one list.
    tenants: Numbered<TenantId>,
    methods: HashMap<Place, Collected>,
    /// Passkeys by user.
    credentials: HashMap<Place, Vec<String>>,
    has_new_tables: bool,
}

impl Identities {
    /// Takes a row of one of [`TABLES`].
    pub(super) fn take(&mut self, table: &str, row: Record<'_>) -> Result<Fate, RowError> {
        let app = self.apps.number(row.text("app_id")?, AppId::in_base_domain)?;
        let column = match table {
            "recipe_user_tenants" => "recipe_user_id",
            "userid_mapping" => "supertokens_user_id",
            _ => "user_id",
        };
        let Some(id) = row.optional(column) else {
            return Ok(Fate::Skipped("it belongs to no user", row.optional("id").unwrap_or_default().to_owned()));
        };
        let Some(uuid) = canonical_uuid(id.trim_end()) else {
            return Ok(Fate::Skipped("the user's id is not a UUID", id.to_owned()));
        };
        let tenant = match table {
            "all_auth_recipe_users" | "recipe_user_tenants" => {
                Some(self.tenants.number(row.text("tenant_id")?, TenantId::new)?)
            }
            _ => None,
        };
        if table == "webauthn_credentials" {
            self.credentials.entry((app, uuid)).or_default().push(row.text("id")?.to_owned());
            return Ok(Fate::Moved);
        }
        let method = self.methods.entry((app, uuid)).or_default();
        match (table, tenant) {
            ("all_auth_recipe_users", Some(tenant)) => method.tenants.push(tenant),
            ("recipe_user_tenants", Some(tenant)) => {
                self.has_new_tables = true;
                if !method.new_tenants.contains(&tenant) {
                    method.new_tenants.push(tenant);
                }
            }
            ("app_id_to_user_id", _) => {
                let group = row.optional("primary_or_recipe_user_id").map(str::trim_end);
                method.group = group.and_then(canonical_uuid);
                method.is_primary = row.flag("is_linked_or_is_a_primary_user");
                method.awaits_backfill = row.optional("time_joined") == Some("0");
            }
            ("userid_mapping", _) => {
                let info = row.optional("external_user_id_info").map(str::to_owned);
                let id = UserId::new(row.text("external_user_id")?);
                method.external = Some(Box::new(ExternalId { id, info }));
            }
            _ => {
                method.login = Some(login(table, row)?);
                method.time_joined = row.number("time_joined")?;
            }
        }
        Ok(Fate::Moved)
    }

    /// The id by which callers know an internal id; the same for any other text.
    pub(super) fn shown(&self, app: &AppId, id: &str) -> UserId {
        let external = self.method(app, id).and_then(|method| method.external.as_ref());
        external.map_or_else(|| UserId::new(id), |external| external.id.clone())
    }

    /// The e-mail address of a login method.
    pub(super) fn email(&self, app: &AppId, id: &str) -> Option<&str> {
        self.method(app, id)?.login.as_ref()?.email()
    }

    fn method(&self, app: &AppId, id: &str) -> Option<&Collected> {
        let number = self.apps.known(&app.app_id).filter(|number| self.apps.get(*number) == Some(app))?;
        self.methods.get(&(number, canonical_uuid(id)?))
    }

    /// Decides which tables hold the tenants of users, if that is not known.
    pub(super) fn mode(&self, known: Option<MigrationMode>) -> Result<MigrationMode, MoveInError> {
        if !self.has_new_tables {
            return Ok(MigrationMode::Old);
        }
        if let Some(mode) = known {
            return Ok(mode);
        }
        let set = |tenants: &[u16]| tenants.iter().copied().collect::<BTreeSet<_>>();
        let differ = self.methods.iter().filter(|(_, method)| set(&method.tenants) != set(&method.new_tenants));
        let mut differ: Vec<_> = differ.map(|((_, id), method)| (*id, method)).collect();
        if differ.is_empty() {
            return Ok(MigrationMode::New);
        }
        if differ.iter().any(|(_, method)| method.awaits_backfill && !method.tenants.is_empty()) {
            return Ok(MigrationMode::Old);
        }
        differ.sort_by_key(|(id, _)| *id);
        let examples: Vec<String> = differ.iter().take(3).map(|(id, _)| id.to_string()).collect();
        Err(MoveInError::Membership { count: differ.len(), examples: examples.join(", ") })
    }

    /// Writes all users, oldest first, so that of two that claim the same login the older one keeps it.
    pub(super) async fn write(
        mut self,
        writer: &mut Writer<'_>,
        mode: MigrationMode,
        now: UnixMillis,
        report: &mut Report,
    ) -> Result<(), MoveInError> {
        let mut groups: BTreeMap<Place, User> = BTreeMap::new();
        let places: Vec<Place> = self.methods.keys().copied().collect();
        for place in places {
            self.join(place, mode, &mut groups);
        }
        let mut users: Vec<(u16, User)> = groups.into_iter().map(|((app, _), user)| (app, user)).collect();
        users.retain(|(_, user)| !user.methods.is_empty());
        users.sort_by(|(_, one), (_, other)| (one.time_joined(), &one.id).cmp(&(other.time_joined(), &other.id)));
        for (app, mut user) in users {
            user.sort();
            let Some(app) = self.apps.get(app) else { continue };
            Self::keep_marks(writer, app, &user, now).await?;
            if user::save(writer.tx(), app, &[], &[&user]).await?.is_err() {
                report.lost("app_id_to_user_id", "another user has the same login", user.id.as_str().to_owned());
            }
            writer.step().await?;
        }
        Ok(())
    }

    /// Adds a login method to its group.
    fn join(&mut self, place @ (app, id): Place, mode: MigrationMode, groups: &mut BTreeMap<Place, User>) {
        let Some(method) = self.methods.remove(&place) else { return };
        let own = UserId::new(id.to_string());
        let group = method.group.unwrap_or(id);
        let empty =
            || User { id: UserId::new(group.to_string()), is_primary: false, kept_mapping: None, methods: Vec::new() };
        let user = groups.entry((app, group)).or_insert_with(empty);
        user.is_primary |= method.is_primary;
        let external = method.external.map(|external| *external);
        let Some(mut login) = method.login else {
            // The method is gone; its id may still be that of its group.
            if group == id {
                user.kept_mapping = external;
            }
            return;
        };
        if let Login::Webauthn { credential_ids, .. } = &mut login {
            *credential_ids = self.credentials.remove(&place).unwrap_or_default();
        }
        let tenants = match mode {
            MigrationMode::Old => &method.tenants,
            MigrationMode::New => &method.new_tenants,
        };
        let tenants = tenants.iter().filter_map(|number| self.tenants.get(*number).cloned()).collect();
        let time_joined = UnixMillis(method.time_joined);
        user.methods.push(LoginMethod { id: own, external, tenants, time_joined, login });
    }

    /// The original writes some marks of a mapped user under the internal id; they count for the user all the same.
    async fn keep_marks(writer: &mut Writer<'_>, app: &AppId, user: &User, now: UnixMillis) -> Result<(), MoveInError> {
        for method in user.methods.iter().filter(|method| method.external.is_some()) {
            let Some(email) = method.login.email() else { continue };
            if emailverification::is_verified(writer.tx(), app, &method.id, email).await? {
                user::verified::mark(writer.tx(), app, method.shown_id(), email, now).await?;
            }
        }
        Ok(())
    }
}

/// Values with names, each with a number, which takes less memory in millions of rows.
struct Numbered<T> {
    values: Vec<T>,
    numbers: HashMap<String, u16>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { values: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T> Numbered<T> {
    /// The number of the value with this name, which is made if it is new.
    fn number(&mut self, name: &str, make: impl FnOnce(String) -> T) -> Result<u16, RowError> {
        if let Some(number) = self.known(name) {
            return Ok(number);
        }
        let number = u16::try_from(self.values.len())
            .map_err(|_| RowError::Wrong("there are more than 65,536 apps, or tenants".to_owned()))?;
        self.values.push(make(name.to_owned()));
        self.numbers.insert(name.to_owned(), number);
        Ok(number)
    }

    fn known(&self, name: &str) -> Option<u16> {
        self.numbers.get(name).copied()
    }

    fn get(&self, number: u16) -> Option<&T> {
        self.values.get(usize::from(number))
    }
}

/// The credentials in a row of a recipe's table.
fn login(table: &str, row: Record<'_>) -> Result<Login, RowError> {
    let email = || row.text("email").map(normalise_email);
    Ok(match table {
        "emailpassword_users" => {
            let text = row.text("password_hash")?;
            let hash = StoredHash::parse(text).map_or_else(|| text.to_owned(), |hash| hash.text());
            Login::EmailPassword { email: email()?, password: PasswordHash::new(hash) }
        }
        "thirdparty_users" => Login::ThirdParty {
            account: ThirdPartyAccount {
                id: row.text("third_party_id")?.to_owned(),
                user_id: row.text("third_party_user_id")?.to_owned(),
            },
            email: email()?,
        },
        "passwordless_users" => Login::Passwordless {
            email: row.optional("email").map(normalise_email),
            phone_number: row.optional("phone_number").map(normalise_phone_number),
        },
        _ => Login::Webauthn { email: email()?, credential_ids: Vec::new() },
    })
}

#[cfg(test)]
mod tests {
    use super::Numbered;

    #[test]
    fn what_has_no_number_left_is_refused() {
        let mut tenants = Numbered::default();
        for tenant in 0..=u16::MAX {
            assert_eq!(tenants.number(&format!("t{tenant}"), |name| name).unwrap(), tenant);
        }
        assert!(tenants.number("one more", |name| name).is_err());
        assert_eq!(tenants.number("t7", |name| name).unwrap(), 7);
        assert_eq!(tenants.get(7).map(String::as_str), Some("t7"));
    }
}
