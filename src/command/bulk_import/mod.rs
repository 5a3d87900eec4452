//! Bulk import over HTTP (CDI: bulk import): users are accepted at once and imported by a job, or one at a time.

pub mod batch;
pub mod one;
pub mod queue;

use crate::command::scope::Scope;
use crate::command::user::prepare::{ImportOutcome, Ready};
use crate::command::userroles::read::ListRoles;
use crate::context::Context;
use crate::crypto::password::StoredHash;
use crate::crypto::sealing::{MessageKey, SealingKey};
use crate::domain::import::NewUser;
use crate::domain::import::bulk::{self, Known};
use crate::domain::json::Members;
use crate::domain::time::UnixMillis;
use crate::domain::user::{AccountInfo, Login, RecipeId};
use crate::domain::userroles::RoleName;
use crate::fault::Fault;
use crate::store::StoreError;
use crate::store::user::Taken;
use std::collections::HashSet;
use uuid::Uuid;

/// Parses users of one app.
struct UserReader<'a> {
    scope: &'a Scope,
    roles: HashSet<RoleName>,
}

impl<'a> UserReader<'a> {
    /// A reader for the roles that the app has now.
    async fn new(context: &Context, scope: &'a Scope) -> Result<Self, Fault> {
        let roles = ListRoles { scope: scope.clone(), permission: None }.run(context).await?;
        Ok(Self { scope, roles: roles.into_iter().collect() })
    }

    /// Parses a user received at the given moment, or returns what is wrong. The time of joining defaults to that
    /// moment.
    fn read(&self, members: &Members, came: UnixMillis, ids: &mut HashSet<String>) -> Result<NewUser, Vec<String>> {
        let known = Known {
            has_tenant: &|tenant| self.scope.app.tenant(tenant).is_some(),
            has_role: &|role| self.roles.contains(role),
            is_hash: &|text, family| StoredHash::parse(text).is_some_and(|hash| hash.family() == family),
            now: came,
        };
        bulk::parse(members, &known, ids)
    }
}

/// Seals users while they wait, because they may contain passwords.
pub(in crate::command) struct Sealer(MessageKey);

impl Sealer {
    async fn of(context: &Context, scope: &Scope) -> Result<Self, Fault> {
        Ok(Self::with(&context.key_ring(&scope.app).await?.refresh_sealing))
    }

    /// The sealer of the app with this key.
    pub(in crate::command) fn with(key: &SealingKey) -> Self {
        Self(key.at_rest(b"sessiond users to import"))
    }

    /// The form in which a waiting user is stored.
    pub(in crate::command) fn seal(&self, context: &Context, id: &Uuid, user: &Members) -> Vec<u8> {
        let text = zeroize::Zeroizing::new(user.to_text());
        self.0.seal_at_rest(id.as_bytes(), text.as_bytes(), context.entropy.as_ref())
    }

    fn open(&self, id: &Uuid, sealed: &[u8]) -> Result<Members, Fault> {
        let text = self.0.open_at_rest(id.as_bytes(), sealed).map(zeroize::Zeroizing::new);
        let members = text.and_then(|text| Members::parse(std::str::from_utf8(&text).ok()?).ok());
        members.ok_or(Fault::invariant("opening a waiting user"))
    }
}

fn failed(error: StoreError) -> Fault {
    Fault::new("reading or writing waiting users", error)
}

/// Why a user was not imported; `None` if it was.
fn complaint(user: &Ready, outcome: ImportOutcome) -> Option<String> {
    Some(match outcome {
        ImportOutcome::Ok => return None,
        ImportOutcome::Refused(what) => what,
        ImportOutcome::Shadows => {
            "Cannot create a userId mapping where the externalId is also a SuperTokens userID".to_owned()
        }
        ImportOutcome::Taken(Taken::Id { .. }) => "A user with one of the external ids already exists".to_owned(),
        ImportOutcome::Taken(Taken::Reservation { info, .. }) => info.taken_sentence().to_owned(),
        ImportOutcome::Taken(Taken::Identity { info, .. }) => {
            let methods = user.user.methods.iter();
            let has = |login: &Login| login.identities().contains(&info);
            let recipe = methods.map(|method| &method.login).find(|login| has(login)).map(Login::recipe);
            let what = match info {
                AccountInfo::Email(email) => format!("email {email}"),
                AccountInfo::PhoneNumber(number) => format!("phoneNumber {number}"),
                AccountInfo::ThirdParty(account) => {
                    format!("thirdPartyId {} and thirdPartyUserId {}", account.id, account.user_id)
                }
            };
            let recipe = recipe.map_or("another", RecipeId::as_str);
            format!("A user with {what} already exists in {recipe} loginMethod.")
        }
    })
}
