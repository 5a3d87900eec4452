//! `sessiond users import`: many users with their passwords' hashes, roles, metadata and marks.

use crate::app::App;
use crate::command::audit;
use crate::command::password::Unserved;
use crate::command::retry::Retry;
use crate::command::session::Scope;
use crate::command::userroles::assign::event as role_event;
use crate::crypto::password::StoredHash;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::entropy::time_ordered_uuid;
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::json::JsonObject;
use crate::domain::password::HashFamily;
use crate::domain::time::UnixMillis;
use crate::domain::user::import::{BadLine, Imported, NewPassword, NewUser};
use crate::domain::user::{AccountInfo, ExternalId, Login, LoginMethod, PasswordHash, User, is_fake_email};
use crate::domain::userroles::RoleName;
use crate::fault::{Fault, Gone};
use crate::store::user::Taken;
use crate::store::user_import::{self, ImportRecord};
use crate::store::userroles::assignment::Assignment;
use crate::store::{StoreError, Tx, emailverification, tenant, user, usermetadata, userroles};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

/// Passwords hashed at once: the threads are there for people who sign in, too.
const HASHED_AT_ONCE: usize = 2;
/// Wait for a place in a full queue of passwords.
const QUEUE_WAIT: Duration = Duration::from_millis(100);

/// Imports users: all that can be, in one transaction.
pub struct ImportUsers {
    /// Where.
    pub scope: Scope,
    /// For users that name no tenants.
    pub tenant: TenantId,
    /// One user each, as JSON.
    pub lines: Vec<String>,
    /// Which part of the import they are.
    pub place: Place,
}

/// A step of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which import.
    pub import: Uuid,
    /// Which of its steps; the first is 0.
    pub step: u64,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepEnded {
    /// It is done, by this run or by one before. Of each line what became of it, in their order.
    Done(Vec<Imported>),
    /// It was done, with other lines.
    OtherLines,
    /// The store has not seen the step before: it is another store, or an older state of it.
    StepsMissing,
}

/// A line that is ready to be written.
struct Ready {
    user: User,
    roles: Vec<RoleName>,
    metadata: Option<JsonObject>,
    verified: bool,
}

impl ImportUsers {
    /// Runs the command, unless an earlier run with the same place has done the work.
    ///
    /// A user is there with everything that belongs to it, or not at all.
    ///
    /// # Errors
    /// When the store fails or a password cannot be hashed: then nobody was imported.
    pub async fn run(self, app: &App) -> Result<StepEnded, Fault> {
        let lines = hash_of(&self.lines);
        // Passwords are hashed before the transaction that counts; a step that is over costs none.
        if let Some(ended) = self.ended(app.store.begin().as_mut(), &lines).await? {
            return Ok(ended);
        }
        let ready = self.all_ready(app).await?;
        self.write(app, &ready, lines).await
    }

    /// How this step has ended already; `None` when it is due.
    async fn ended(&self, tx: &mut dyn Tx, lines: &[u8; 32]) -> Result<Option<StepEnded>, Fault> {
        let Place { import, step } = self.place;
        let last = user_import::get(tx, &self.scope.app.id, import).await.map_err(reading)?;
        Ok(match last {
            Some(last) if last.step == step && last.lines == *lines => Some(StepEnded::Done(last.outcomes)),
            Some(last) if last.step == step => Some(StepEnded::OtherLines),
            Some(last) if last.step.checked_add(1) == Some(step) => None,
            None if step == 0 => None,
            _ => Some(StepEnded::StepsMissing),
        })
    }

    /// Reads the lines and hashes passwords.
    async fn all_ready(&self, app: &App) -> Result<Vec<Result<Ready, BadLine>>, Fault> {
        let parsed: Vec<_> = self.lines.iter().map(|line| self.parse(line)).collect();
        let mut ready = Vec::with_capacity(parsed.len());
        // In the order of the lines, so that people who are listed side by side also lie so.
        let mut ids: Vec<_> = parsed.iter().map(|_| time_ordered_uuid(&*app.entropy, app.now())).collect();
        ids.sort_unstable();
        for group in in_groups(parsed.into_iter().zip(ids).collect(), HASHED_AT_ONCE) {
            let hashed = group.into_iter().map(async |(user, id)| match user {
                Ok(user) => self.ready(app, user, id).await,
                Err(refused) => Ok(Err(refused)),
            });
            ready.extend(futures_util::future::try_join_all(hashed).await?);
        }
        Ok(ready)
    }

    /// Writes users and the step, in one transaction.
    async fn write(&self, app: &App, ready: &[Result<Ready, BadLine>], lines: [u8; 32]) -> Result<StepEnded, Fault> {
        let id = &self.scope.app.id;
        let tenants: BTreeSet<TenantId> =
            ready.iter().flatten().flat_map(|ready| ready.user.tenants()).cloned().collect();
        let mut retry = Retry::new(&app.contention, &(id, "import"));
        loop {
            let mut tx = app.store.begin();
            if let Some(ended) = self.ended(tx.as_mut(), &lines).await? {
                return Ok(ended);
            }
            for name in &tenants {
                if !tenant::exists(tx.as_mut(), id, name).await.map_err(reading)? {
                    return Err(Fault::new("importing users", Gone { app: id.clone(), tenant: name.clone() }));
                }
            }
            let now = app.now();
            let mut outcomes = Vec::with_capacity(ready.len());
            for line in ready {
                outcomes.push(match line {
                    Ok(ready) => {
                        let outcome = write(tx.as_mut(), id, ready, now).await.map_err(reading)?;
                        if matches!(outcome, Imported::Ok) {
                            self.note(app, tx.as_mut(), ready)?;
                        }
                        outcome
                    }
                    Err(refused) => Imported::Refused(refused.clone()),
                });
            }
            let Place { import, step } = self.place;
            let done = ImportRecord { step, lines, at: now, outcomes };
            user_import::put(tx.as_mut(), id, import, &done).map_err(reading)?;
            if step == 0 {
                user_import::delete_given_up(tx.as_mut(), id, now).await.map_err(reading)?;
            }
            if retry.commit(tx, "committing imported users").await? {
                return Ok(StepEnded::Done(done.outcomes));
            }
        }
    }

    /// Notes a user and its roles in the audit log.
    fn note(&self, app: &App, tx: &mut dyn Tx, ready: &Ready) -> Result<(), Fault> {
        let shown = ready.user.shown_id();
        audit::note(tx, app, &self.scope, AuditEvent::of(AuditKind::UserImported).user(shown))?;
        for tenant in ready.user.tenants() {
            for role in &ready.roles {
                audit::note(tx, app, &self.scope, role_event(AuditKind::RoleAssigned, shown, tenant, role))?;
            }
        }
        Ok(())
    }

    fn parse(&self, line: &str) -> Result<NewUser, BadLine> {
        let user = NewUser::parse(line, &self.tenant)?;
        match user.tenants.iter().find(|name| self.scope.app.tenant(name).is_none()) {
            Some(unknown) => Err(BadLine(format!("there is no tenant {}", unknown.as_str()))),
            None => Ok(user),
        }
    }

    async fn ready(&self, app: &App, new: NewUser, id: Uuid) -> Result<Result<Ready, BadLine>, Fault> {
        let password = match new.password {
            NewPassword::Hash(hash, family) => match StoredHash::parse(hash.expose()) {
                Some(stored) if self.lacks_signer_key(&stored) => {
                    let what = "a Firebase hash cannot be checked: 'firebase_password_hashing_signer_key' is not set";
                    return Ok(Err(BadLine(what.to_owned())));
                }
                Some(stored) if family.is_none_or(|family| stored.family() == family) => stored.text(),
                Some(_) => return Ok(Err(BadLine("'passwordHash' is not of that 'hashingAlgorithm'".to_owned()))),
                None => {
                    let what = "'passwordHash' is no bcrypt, argon2 or Firebase scrypt hash that could be checked";
                    return Ok(Err(BadLine(what.to_owned())));
                }
            },
            NewPassword::Plain(password) => self.hashed(app, password.expose()).await?,
        };
        let method = LoginMethod {
            id: UserId::new(id.to_string()),
            external: new.external_id.map(|id| ExternalId { id, info: None }),
            tenants: new.tenants,
            time_joined: new.time_joined.unwrap_or_else(|| app.now()),
            login: Login::EmailPassword { email: new.email, password: PasswordHash::new(password) },
        };
        let (roles, metadata) = (new.roles.into_iter().collect(), new.metadata);
        Ok(Ok(Ready { user: User::new(method), roles, metadata, verified: new.verified }))
    }

    fn lacks_signer_key(&self, hash: &StoredHash) -> bool {
        hash.family() == HashFamily::FirebaseScrypt && self.scope.app.config.firebase_signer_key.is_none()
    }

    /// Hashes a password, whenever there is room for it in the queue.
    async fn hashed(&self, app: &App, password: &str) -> Result<String, Fault> {
        let parameters = self.scope.app.config.password_hashing;
        loop {
            match app.hashing.hash(password, parameters, &*app.entropy).await {
                Ok(hash) => return Ok(hash),
                Err(Unserved::Busy { .. }) => tokio::time::sleep(QUEUE_WAIT).await,
                Err(Unserved::Fault(fault)) => return Err(fault),
                Err(other) => return Err(Fault::new("hashing a password", other)),
            }
        }
    }
}

/// Forgets an import that has come to its end, or was given up.
pub struct EndImport {
    /// Where.
    pub scope: Scope,
    /// Which.
    pub import: Uuid,
}

impl EndImport {
    /// Runs the command. One that is not there is fine.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &App) -> Result<(), Fault> {
        let mut retry = Retry::new(&app.contention, &self.import);
        loop {
            let mut tx = app.store.begin();
            tx.delete(user_import::key(&self.scope.app.id, self.import));
            if retry.commit(tx, "committing the end of an import").await? {
                return Ok(());
            }
        }
    }
}

fn hash_of(lines: &[String]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for line in lines {
        hash.update((line.len() as u64).to_be_bytes());
        hash.update(line);
    }
    hash.finalize().into()
}

fn in_groups<T>(items: Vec<T>, size: usize) -> Vec<Vec<T>> {
    let mut items = items.into_iter();
    let groups = std::iter::from_fn(|| Some(items.by_ref().take(size).collect::<Vec<_>>()));
    groups.take_while(|group| !group.is_empty()).collect()
}

fn reading(error: StoreError) -> Fault {
    Fault::new("importing users", error)
}

/// Writes a user and all that belongs to it; or nothing.
async fn write(tx: &mut dyn Tx, app: &AppId, ready: &Ready, now: UnixMillis) -> Result<Imported, StoreError> {
    let user = &ready.user;
    let refused = |what: String| Ok(Imported::Refused(BadLine(what)));
    let mut roles = Vec::with_capacity(ready.roles.len());
    for role in &ready.roles {
        let Some(found) = userroles::get(tx, app, role).await? else {
            return refused(format!("there is no role '{}'", role.as_str()));
        };
        roles.push((role, found.incarnation));
    }
    let external = user.methods.iter().find_map(|method| method.external.as_ref());
    if let Some(external) = external
        && user::find_internal(tx, app, &external.id).await?.is_some()
    {
        return refused("'userId' is the internal id of another user".to_owned());
    }
    match user::save(tx, app, &[], &[user]).await? {
        Ok(()) => {}
        Err(Taken::Id { .. }) => return refused("'userId' is the id of another user".to_owned()),
        Err(Taken::Identity { tenant, .. } | Taken::Reservation { tenant, .. }) => {
            return Ok(Imported::Existing { tenant });
        }
    }
    let shown = user.shown_id();
    if let Some(metadata) = &ready.metadata {
        usermetadata::put(tx, app, shown, metadata.clone())?;
    }
    for (role, incarnation) in roles {
        for tenant in user.tenants() {
            Assignment { app, tenant, user: shown, role }.put(tx, incarnation)?;
        }
    }
    if let Some(AccountInfo::Email(email)) = user.account_infos().first()
        && (ready.verified || is_fake_email(email))
    {
        emailverification::mark(tx, app, shown, email, now)?;
    }
    Ok(Imported::Ok)
}
