//! Users to be imported: one JSON object per user, in our own form ([`NewUser::parse`]) or in the protocol's
//! ([`bulk`]).

pub mod bulk;
pub(in crate::domain) mod reader;
pub mod waiting;

use crate::domain::ids::{TenantId, UserId};
use crate::domain::json::{Json, JsonObject, Members, RawMembers};
use crate::domain::password::HashFamily;
use crate::domain::secret::Secret;
use crate::domain::time::UnixMillis;
use crate::domain::totp::import::NewDevice;
use crate::domain::user::{ThirdPartyAccount, normalise_email};
use crate::domain::userroles::RoleName;
use serde::Deserialize;
use std::collections::BTreeSet;

/// Longest e-mail address accepted, in bytes; the longest deliverable one has 254.
const MAX_EMAIL: usize = 320;
/// Longest external id accepted, in bytes.
const MAX_ID: usize = 2048;
/// The protocol's wording for a `timeJoined` in the future.
const IN_FUTURE: &str = "timeJoined cannot be in future";
/// 2000-01-01: hardly anyone joined anything before then. A `timeJoined` given in seconds falls in 1970.
pub const YEAR_2000: UnixMillis = UnixMillis(946_684_800_000);

/// A user to be imported, with everything that belongs to it.
#[derive(Debug)]
pub struct NewUser {
    /// At least one. Several are linked; the user takes the id of the method that is to be primary, or else of the
    /// oldest.
    pub methods: Vec<NewMethod>,
    /// Roles held in tenants.
    pub roles: Vec<NewRole>,
    /// The user's metadata.
    pub metadata: Option<JsonObject>,
    /// Authenticator apps.
    pub devices: Vec<NewDevice>,
}

/// A way to sign in.
#[derive(Debug)]
pub struct NewMethod {
    /// The credentials it signs in with.
    pub login: NewLogin,
    /// The caller's own id for this method.
    pub external_id: Option<UserId>,
    /// Whether its e-mail address is verified.
    pub verified: bool,
    /// Whether it is to be the user's first method.
    pub is_primary: bool,
    /// When the user signed up; `None` means the moment of the import.
    pub time_joined: Option<UnixMillis>,
    /// The tenants where the user may sign in; at least one.
    pub tenants: BTreeSet<TenantId>,
}

/// The credentials of a login method. Addresses and numbers are normalised.
#[derive(Debug)]
pub enum NewLogin {
    /// An e-mail address and a password.
    EmailPassword {
        /// The address.
        email: String,
        /// The password, as a hash or in plain text.
        password: NewPassword,
    },
    /// An account at another provider.
    ThirdParty {
        /// The account.
        account: ThirdPartyAccount,
        /// The address reported by the provider.
        email: String,
    },
    /// Codes sent by e-mail or to a phone; at least one of the two.
    Passwordless {
        /// The address.
        email: Option<String>,
        /// The number.
        phone_number: Option<String>,
    },
}

/// A role in tenants.
#[derive(Debug, PartialEq, Eq)]
pub struct NewRole {
    /// The role's name.
    pub role: RoleName,
    /// The tenants where it is held.
    pub tenants: BTreeSet<TenantId>,
}

impl NewUser {
    /// The index of the method whose id becomes the user's: the one that is to be primary, or else the oldest.
    #[must_use]
    pub fn first_method(&self) -> usize {
        let rank = |(place, method): &(usize, &NewMethod)| (!method.is_primary, method.time_joined, *place);
        self.methods.iter().enumerate().min_by_key(rank).map_or(0, |(place, _)| place)
    }
}

/// A password from elsewhere.
#[derive(Debug)]
pub enum NewPassword {
    /// Its hash, and the family that the sender states for it.
    Hash(Secret<String>, Option<HashFamily>),
    /// The password in plain text.
    Plain(Secret<String>),
}

/// Why a line is not a user. Names fields and rules, never a value: values may be secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[error("{0}")]
#[serde(transparent)]
pub struct BadLine(pub String);

/// The outcome for a line. Stored: append variants, never reorder or change one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Imported {
    /// The user was imported, durably.
    Ok,
    /// An account with this e-mail address already existed and was left as it was.
    Existing {
        /// The tenant that has the account.
        tenant: TenantId,
    },
    /// The line is not a user that can be imported.
    Refused(BadLine),
}

/// The members a user may have.
const KNOWN: [&str; 10] = [
    "email",
    "passwordHash",
    "hashingAlgorithm",
    "plaintextPassword",
    "userId",
    "roles",
    "metadata",
    "verified",
    "timeJoined",
    "tenants",
];

impl NewUser {
    /// Parses a line. A user that names no tenants is imported into `tenant`.
    ///
    /// # Errors
    /// When the line is not such an object; one sentence that says why.
    pub fn parse(line: &str, tenant: &TenantId, now: UnixMillis) -> Result<Self, BadLine> {
        let members: RawMembers<'_> = serde_json::from_str(line).map_err(|_| bad("the line is not a JSON object"))?;
        let members = Members::of_scanned(members).map_err(|(name, flaw)| bad(format!("'{name}' {flaw}")))?;
        if let Some((unknown, _)) = members.iter().find(|(name, _)| !KNOWN.contains(name)) {
            return Err(bad(format!("there is no field '{unknown}'; the fields are {}", KNOWN.join(", "))));
        }
        let fields = Fields(members);
        let tenants = match fields.texts("tenants")? {
            None => [tenant.clone()].into(),
            Some(names) if names.is_empty() => return Err(bad("'tenants' must name at least one")),
            Some(names) => names.iter().map(|name| TenantId::new(name.to_lowercase())).collect(),
        };
        let method = NewMethod {
            login: NewLogin::EmailPassword { email: fields.email()?, password: fields.password()? },
            external_id: fields.external_id()?,
            verified: fields.flag("verified")?,
            is_primary: false,
            time_joined: fields.time_joined(now)?,
            tenants,
        };
        let roles = fields.roles()?.into_iter().map(|role| NewRole { role, tenants: method.tenants.clone() });
        let roles = roles.collect();
        Ok(Self { roles, metadata: fields.metadata()?, devices: Vec::new(), methods: vec![method] })
    }
}

/// When the user of a line joined, if the line states that, whatever else may be wrong with it.
#[must_use]
pub fn time_joined(line: &str) -> Option<UnixMillis> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Joined {
        time_joined: u64,
    }
    serde_json::from_str(line).ok().map(|Joined { time_joined }| UnixMillis(time_joined))
}

fn bad(sentence: impl Into<String>) -> BadLine {
    BadLine(sentence.into())
}

/// A line's members. `null` is treated as absent.
struct Fields(Members);

impl Fields {
    fn value(&self, name: &str) -> Option<&Json> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<Option<&str>, BadLine> {
        let text =
            self.value(name).map(|value| value.as_str().ok_or_else(|| bad(format!("'{name}' must be a string"))));
        text.transpose()
    }

    fn texts(&self, name: &str) -> Result<Option<Vec<&str>>, BadLine> {
        let refused = || bad(format!("'{name}' must be an array of strings"));
        let Some(value) = self.value(name) else { return Ok(None) };
        let entries = value.as_array().ok_or_else(refused)?.iter().map(Json::as_str);
        entries.collect::<Option<Vec<_>>>().map(Some).ok_or_else(refused)
    }

    fn flag(&self, name: &str) -> Result<bool, BadLine> {
        match self.value(name) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or_else(|| bad(format!("'{name}' must be true or false"))),
        }
    }

    fn time_joined(&self, now: UnixMillis) -> Result<Option<UnixMillis>, BadLine> {
        let Some(value) = self.value("timeJoined") else { return Ok(None) };
        let ms = value.as_i64().and_then(|ms| u64::try_from(ms).ok());
        match ms.map(UnixMillis) {
            None => Err(bad("'timeJoined' must be milliseconds since 1970")),
            Some(joined) if joined > now => Err(bad(IN_FUTURE)),
            joined => Ok(joined),
        }
    }

    fn email(&self) -> Result<String, BadLine> {
        let email = normalise_email(self.text("email")?.ok_or_else(|| bad("'email' is missing"))?);
        match email.split_once('@') {
            Some((name, domain)) if !name.is_empty() && !domain.is_empty() && email.len() <= MAX_EMAIL => Ok(email),
            _ => Err(bad("'email' is not an e-mail address")),
        }
    }

    fn password(&self) -> Result<NewPassword, BadLine> {
        let secret = |text: &str| Secret::new(text.to_owned());
        let family = match self.text("hashingAlgorithm")? {
            None => None,
            Some(name) => {
                let known = || bad("'hashingAlgorithm' must be bcrypt, argon2 or firebase_scrypt");
                Some(HashFamily::parse(&name.to_uppercase()).ok_or_else(known)?)
            }
        };
        match (self.text("passwordHash")?, self.text("plaintextPassword")?) {
            (Some(hash), None) => Ok(NewPassword::Hash(secret(hash.trim()), family)),
            (None, Some(_)) if family.is_some() => Err(bad("'hashingAlgorithm' needs a 'passwordHash'")),
            (None, Some("")) => Err(bad("'plaintextPassword' is empty")),
            (None, Some(password)) => Ok(NewPassword::Plain(secret(password))),
            (None, None) => Err(bad("there must be a 'passwordHash' or a 'plaintextPassword'")),
            (Some(_), Some(_)) => Err(bad("'passwordHash' and 'plaintextPassword' must not both be present")),
        }
    }

    fn external_id(&self) -> Result<Option<UserId>, BadLine> {
        match self.text("userId")?.map(str::trim) {
            None => Ok(None),
            Some("") => Err(bad("'userId' is empty")),
            Some(id) if id.len() > MAX_ID => Err(bad(format!("'userId' has more than {MAX_ID} bytes"))),
            Some(id) => Ok(Some(UserId::new(id))),
        }
    }

    fn roles(&self) -> Result<BTreeSet<RoleName>, BadLine> {
        let roles = self.texts("roles")?.unwrap_or_default();
        let role = |name| RoleName::new(name).map_err(|_| bad("'roles' has a name that is empty or too long"));
        roles.into_iter().map(role).collect()
    }

    fn metadata(&self) -> Result<Option<JsonObject>, BadLine> {
        let refused = || bad("'metadata' must be an object");
        let Some(value) = self.value("metadata") else { return Ok(None) };
        Ok(Some(value.as_object().ok_or_else(refused)?.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<NewUser, String> {
        NewUser::parse(line, &TenantId::new("t1"), UnixMillis(1_000)).map_err(|error| error.0)
    }

    #[test]
    fn a_line_with_everything() {
        let user = parse(
            r#"{"email":" Jane@X.io","passwordHash":"$2a$x","hashingAlgorithm":"bcrypt","userId":" crm-1 ","verified":true,
                "roles":["admin","b"],"metadata":{"n":null},"timeJoined":17,"tenants":["Public","t2"]}"#,
        );
        let user = user.unwrap();
        let method = &user.methods[0];
        let NewLogin::EmailPassword { email, password } = &method.login else { panic!("{method:?}") };
        assert_eq!((email.as_str(), method.verified), ("jane@x.io", true));
        assert!(matches!(password, NewPassword::Hash(hash, Some(HashFamily::Bcrypt)) if hash.matches(b"$2a$x")));
        assert_eq!(method.external_id, Some(UserId::new("crm-1")));
        assert_eq!(method.tenants, [TenantId::public(), TenantId::new("t2")].into());
        assert_eq!((user.roles.len(), method.time_joined), (2, Some(UnixMillis(17))));
        assert!(user.roles.iter().all(|role| role.tenants == method.tenants));
        assert_eq!(user.metadata.unwrap().as_str(), r#"{"n":null}"#);
    }

    #[test]
    fn numbers_in_metadata_stay_as_they_were_written() {
        let metadata = r#"{"n":[1000000000000000000000001,1e2,-0,1.00]}"#;
        let user = parse(&format!(r#"{{"email":"a@b","passwordHash":"x","timeJoined":1000,"metadata":{metadata}}}"#));
        assert_eq!(user.unwrap().metadata.unwrap().as_str(), metadata);
    }

    #[test]
    fn little_is_needed() {
        let user = parse(r#"{"email":"jane@x.io","plaintextPassword":"secret1","roles":null}"#).unwrap();
        let method = &user.methods[0];
        assert_eq!(method.tenants, [TenantId::new("t1")].into());
        assert!(!method.verified && user.roles.is_empty() && user.metadata.is_none() && method.time_joined.is_none());
    }

    #[test]
    fn what_is_wrong_is_named_without_values() {
        for (line, sentence) in [
            ("[]", "the line is not a JSON object"),
            (r#"{"email":"a@b","passwordHash":"x""#, "the line is not a JSON object"),
            (r#"{"pasword":1}"#, "there is no field 'pasword'; the fields are email, passwordHash"),
            ("{}", "'email' is missing"),
            (r#"{"email":7}"#, "'email' must be a string"),
            (r#"{"email":"jane"}"#, "'email' is not an e-mail address"),
            (r#"{"email":"a@b"}"#, "there must be a 'passwordHash' or a 'plaintextPassword'"),
            (
                r#"{"email":"a@b","passwordHash":"x","plaintextPassword":"y"}"#,
                "'passwordHash' and 'plaintextPassword' must not both be present",
            ),
            (r#"{"email":"a@b","passwordHash":"x","hashingAlgorithm":"md5"}"#, "'hashingAlgorithm' must be bcrypt,"),
            (r#"{"email":"a@b","passwordHash":"x","verified":"yes"}"#, "'verified' must be true or false"),
            (r#"{"email":"a@b","passwordHash":"x","timeJoined":-1}"#, "'timeJoined' must be milliseconds since 1970"),
            (r#"{"email":"a@b","passwordHash":"x","timeJoined":1001}"#, "timeJoined cannot be in future"),
            (r#"{"email":"a@b","passwordHash":"x","timeJoined":1e30}"#, "'timeJoined' must be milliseconds since 1970"),
            (r#"{"email":"a@b","plaintextPassword":"\ud83d"}"#, "'plaintextPassword' has half of a surrogate pair"),
            (
                r#"{"email":"a@b","passwordHash":"x","metadata":{"n":[1e999]}}"#,
                "'metadata' has a number beyond 1.8e308",
            ),
            (r#"{"email":"a@b","passwordHash":"x","tenants":[]}"#, "'tenants' must name at least one"),
            (r#"{"email":"a@b","passwordHash":"x","roles":[" "]}"#, "'roles' has a name that is empty or too long"),
            (r#"{"email":"a@b","passwordHash":"x","metadata":[]}"#, "'metadata' must be an object"),
        ] {
            let refused = parse(line).expect_err(line);
            assert!(refused.starts_with(sentence), "{line}: {refused}");
        }
    }
}
