//! Users in the form of the protocol's bulk import. Each is read completely, so that all errors are reported at once.

pub use super::reader::Known;
use super::reader::{MAX_LENGTH, MemberReader};
use super::{IN_FUTURE, NewLogin, NewMethod, NewPassword, NewRole, NewUser};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::json::{Json, JsonObject, Members};
use crate::domain::password::HashFamily;
use crate::domain::secret::Secret;
use crate::domain::time::UnixMillis;
use crate::domain::totp::import::devices;
use crate::domain::user::{ThirdPartyAccount, normalise_email, normalise_phone_number};
use crate::domain::userroles::RoleName;
use std::collections::{BTreeSet, HashSet};

/// Parses a user. `external_ids` are those of the users before it in the same request.
///
/// # Errors
/// Everything that is wrong, in the protocol's sentences.
pub fn parse(members: &Members, known: &Known<'_>, external_ids: &mut HashSet<String>) -> Result<NewUser, Vec<String>> {
    let mut reader = MemberReader { known, errors: Vec::new() };
    let external_id = reader.text(members, "externalUserId", ".");
    let metadata = reader.object(members, "userMetadata").map(JsonObject::from);
    let roles = reader.roles(members);
    let devices = devices(&mut reader, members);
    let mut methods = reader.methods(members);
    let external_id = external_id.and_then(|id| reader.external_id(id, external_ids));
    for tenant in roles.iter().flat_map(|role| &role.tenants) {
        if !tenant.is_public() && !methods.iter().any(|method| method.tenants.contains(tenant)) {
            reader.wrong(format!("TenantId {tenant} for a user role does not exist in loginMethods."));
        }
    }
    let errors = reader.errors;
    if !errors.is_empty() {
        return Err(errors);
    }
    for method in &mut methods {
        method.time_joined.get_or_insert(known.now);
    }
    let mut user = NewUser { methods, roles, metadata, devices };
    let first = user.first_method();
    if let (Some(id), Some(method)) = (external_id, user.methods.get_mut(first)) {
        method.external_id = Some(id);
    }
    Ok(user)
}

/// The user as sent, without what must not be shown: passwords, their hashes, secrets of authenticator apps.
#[must_use]
pub fn without_secrets(mut members: Members) -> Members {
    for (list, secrets) in
        [("loginMethods", ["passwordHash", "plainTextPassword"].as_slice()), ("totpDevices", ["secretKey"].as_slice())]
    {
        members.each_in(list, |entry| secrets.iter().for_each(|secret| drop(entry.remove(secret))));
    }
    members
}

impl MemberReader<'_> {
    fn external_id(&mut self, id: &str, seen: &mut HashSet<String>) -> Option<UserId> {
        self.bounded(id, &format!("externalUserId {id}"), 128, 128);
        if !seen.insert(id.to_owned()) {
            self.wrong(format!("externalUserId {id} is not unique. It is already used by another user."));
        }
        Some(id.trim()).filter(|id| !id.is_empty()).map(UserId::new)
    }

    fn roles(&mut self, members: &Members) -> Vec<NewRole> {
        const SUFFIX: &str = " for a user role.";
        let mut roles = Vec::new();
        for role in self.objects(members, "userRoles").unwrap_or_default() {
            let name = self.required_text(role, "role", SUFFIX);
            self.require(role, "tenantIds", SUFFIX);
            let tenants = self.texts(role, "tenantIds", SUFFIX);
            let name = name.and_then(|name| self.role(name));
            let tenants = tenants.map(|names| self.tenants(&names, SUFFIX));
            if let (Some(role), Some(tenants)) = (name, tenants) {
                roles.push(NewRole { role, tenants });
            }
        }
        roles
    }

    fn role(&mut self, name: &str) -> Option<RoleName> {
        self.bounded(name, &format!("role {name}"), 255, 255);
        let role = RoleName::new(name).ok().filter(|role| (self.known.has_role)(role));
        if role.is_none() {
            self.wrong(format!("Role {} does not exist.", name.trim()));
        }
        role
    }

    fn tenants(&mut self, names: &[&str], suffix: &str) -> BTreeSet<TenantId> {
        let mut tenants = BTreeSet::new();
        for name in names {
            let tenant = TenantId::new(name.trim().to_lowercase());
            if tenant.is_public() || (self.known.has_tenant)(&tenant) {
                tenants.insert(tenant);
            } else {
                self.wrong(format!("Invalid tenantId: {name}{suffix}"));
            }
        }
        tenants
    }

    fn methods(&mut self, members: &Members) -> Vec<NewMethod> {
        self.require(members, "loginMethods", ".");
        let Some(listed) = self.objects(members, "loginMethods") else { return Vec::new() };
        if listed.is_empty() {
            self.wrong("At least one loginMethod is required.");
        }
        let primary = |method: &&Members| method.get("isPrimary").and_then(Json::as_bool) == Some(true);
        for _ in listed.iter().copied().filter(primary).skip(1) {
            self.wrong("No two loginMethods can have isPrimary as true.");
        }
        listed.into_iter().filter_map(|method| self.method(method)).collect()
    }

    fn method(&mut self, method: &Members) -> Option<NewMethod> {
        const SUFFIX: &str = " for a loginMethod.";
        let recipe = self.required_text(method, "recipeId", SUFFIX);
        let tenants = self.texts(method, "tenantIds", SUFFIX);
        let verified = self.flag(method, "isVerified", SUFFIX);
        let is_primary = self.flag(method, "isPrimary", SUFFIX);
        let time_joined = self.integer(method, "timeJoinedInMSSinceEpoch", " for a loginMethod");
        let external_id = self.text(method, "externalUserId", SUFFIX).map(str::trim).filter(|id| !id.is_empty());
        if recipe.is_some_and(|name| !["emailpassword", "thirdparty", "passwordless"].contains(&name)) {
            self.wrong("Invalid recipeId for loginMethod. Pass one of emailpassword, thirdparty or, passwordless!");
        }
        let tenants = match tenants {
            Some(names) => {
                let tenants = self.tenants(&names, &format!(" for {} recipe.", recipe.unwrap_or("null")));
                if names.is_empty() {
                    self.wrong(format!("LoginMethod '{}' has no tenantId", recipe.unwrap_or("null")));
                }
                tenants
            }
            None => [TenantId::public()].into(),
        };
        let time_joined = time_joined.and_then(|joined| self.moment(joined));
        let login = match recipe {
            Some("emailpassword") => self.email_password(method),
            Some("thirdparty") => self.third_party(method),
            Some("passwordless") => self.passwordless(method),
            _ => None,
        };
        let external_id = external_id.map(UserId::new);
        Some(NewMethod { login: login?, external_id, verified, is_primary, time_joined, tenants })
    }

    fn moment(&mut self, joined: i64) -> Option<UnixMillis> {
        let Ok(ms) = u64::try_from(joined) else {
            self.wrong("timeJoined cannot be < 0 for a loginMethod.");
            return None;
        };
        if UnixMillis(ms) > self.known.now {
            self.wrong(format!("{IN_FUTURE} for a loginMethod."));
        }
        Some(UnixMillis(ms))
    }

    fn email(&mut self, email: &str) -> String {
        self.bounded(email, &format!("email {email}"), 255, 256);
        normalise_email(email)
    }

    fn email_password(&mut self, method: &Members) -> Option<NewLogin> {
        const SUFFIX: &str = " for an emailpassword recipe.";
        let email = self.required_text(method, "email", SUFFIX);
        let hash = self.text(method, "passwordHash", SUFFIX);
        let algorithm = self.text(method, "hashingAlgorithm", SUFFIX);
        let plain = self.text(method, "plainTextPassword", SUFFIX);
        let secret = |text: &str| Secret::new(text.to_owned());
        if (hash.is_none() || algorithm.is_none()) && plain.is_none() {
            self.wrong(
                "Either (passwordHash, hashingAlgorithm) or plainTextPassword is required for an emailpassword recipe.",
            );
        }
        let email = email.map(|email| self.email(email));
        let family = algorithm.and_then(|name| self.family(name));
        let hash = match (hash, family) {
            (Some(hash), Some(family)) => Some(self.hash(hash, family)?),
            _ => None,
        };
        let password = hash.or_else(|| plain.map(|password| NewPassword::Plain(secret(password))));
        Some(NewLogin::EmailPassword { email: email?, password: password? })
    }

    fn family(&mut self, name: &str) -> Option<HashFamily> {
        let family = HashFamily::parse(&name.trim().to_uppercase());
        if family.is_none() {
            self.wrong(
                "Invalid hashingAlgorithm for emailpassword recipe. Pass one of bcrypt, argon2 or, firebase_scrypt!",
            );
        }
        family
    }

    fn hash(&mut self, hash: &str, family: HashFamily) -> Option<NewPassword> {
        self.bounded(hash, "passwordHash", MAX_LENGTH, MAX_LENGTH);
        let hash = hash.trim();
        if !(self.known.is_hash)(hash, family) {
            self.wrong(family.invalid_sentence());
            return None;
        }
        Some(NewPassword::Hash(Secret::new(hash.to_owned()), Some(family)))
    }

    fn third_party(&mut self, method: &Members) -> Option<NewLogin> {
        const SUFFIX: &str = " for a thirdparty recipe.";
        let email = self.required_text(method, "email", SUFFIX);
        let id = self.required_text(method, "thirdPartyId", SUFFIX);
        let user_id = self.required_text(method, "thirdPartyUserId", SUFFIX);
        let email = email.map(|email| self.email(email));
        if let Some(id) = id {
            self.bounded(id, &format!("thirdPartyId {id}"), 28, 28);
        }
        if let Some(id) = user_id {
            self.bounded(id, &format!("thirdPartyUserId {id}"), MAX_LENGTH, MAX_LENGTH);
        }
        let account = ThirdPartyAccount { id: id?.to_owned(), user_id: user_id?.to_owned() };
        Some(NewLogin::ThirdParty { account, email: email? })
    }

    fn passwordless(&mut self, method: &Members) -> Option<NewLogin> {
        const SUFFIX: &str = " for a passwordless recipe.";
        let email = self.text(method, "email", SUFFIX);
        let phone = self.text(method, "phoneNumber", SUFFIX);
        let email = email.map(|email| self.email(email));
        if let Some(number) = phone {
            self.bounded(number, &format!("phoneNumber {number}"), MAX_LENGTH, MAX_LENGTH);
        }
        let phone_number = phone.map(normalise_phone_number);
        if email.is_none() && phone_number.is_none() {
            self.wrong("Either email or phoneNumber is required for a passwordless recipe.");
            return None;
        }
        Some(NewLogin::Passwordless { email, phone_number })
    }
}
