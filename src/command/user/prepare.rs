//! Users being imported: prepared before the transaction, written in it.

use crate::command::audit;
use crate::command::scope::Scope;
use crate::command::totp::import::ImportedDevices;
use crate::command::userroles::assign::event as role_event;
use crate::context::Context;
use crate::crypto::password::StoredHash;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::entropy::time_ordered_uuid;
use crate::domain::ids::{AppId, TenantId, UserId};
use crate::domain::import::{BadLine, NewLogin, NewMethod, NewPassword, NewRole, NewUser};
use crate::domain::json::JsonObject;
use crate::domain::password::HashFamily;
use crate::domain::time::UnixMillis;
use crate::domain::user::{ExternalId, Login, LoginMethod, PasswordHash, User, is_fake_email};
use crate::fault::Fault;
use crate::state::password::SignInRefused;
use crate::store::user::Taken;
use crate::store::userroles::assignment::Assignment;
use crate::store::{StoreError, Tx, tenant, user, usermetadata, userroles};
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

/// Number of passwords that every machine hashes at once, if the setting allows it.
const HASHED_AT_ONCE: usize = 2;
/// Wait before trying again when the queue of passwords is full.
const QUEUE_WAIT: Duration = Duration::from_millis(100);

/// A user that is ready to be written.
pub(in crate::command) struct Ready {
    /// The user.
    pub(in crate::command) user: User,
    roles: Vec<NewRole>,
    metadata: Option<JsonObject>,
    devices: ImportedDevices,
    /// Login methods whose e-mail addresses are verified.
    verified: BTreeSet<UserId>,
}

/// The outcome of writing a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::command) enum ImportOutcome {
    /// The user is written, with everything.
    Ok,
    /// Another user has one of its keys; nothing was written.
    Taken(Taken),
    /// One of its external ids is another user's internal id; nothing was written.
    Shadows,
    /// It cannot be accepted; nothing was written.
    Refused(String),
}

/// Prepares users, a few at once, and returns them in their order. Each gets the id paired with it.
///
/// # Errors
/// When a password cannot be hashed.
pub(in crate::command) async fn prepare_all(
    context: &Context,
    scope: &Scope,
    new: Vec<(Result<NewUser, BadLine>, Uuid)>,
) -> Result<Vec<Result<Ready, BadLine>>, Fault> {
    let mut ready = Vec::with_capacity(new.len());
    let mut new = new.into_iter();
    let at_once = hashed_at_once(scope);
    loop {
        let group = new.by_ref().take(at_once).map(async |(user, id)| match user {
            Ok(user) => prepare(context, scope, user, id).await,
            Err(refused) => Ok(Err(refused)),
        });
        let group = futures_util::future::try_join_all(group).await?;
        if group.is_empty() {
            return Ok(ready);
        }
        ready.extend(group);
    }
}

/// The app's setting, but at most half of the threads: the others are for people who sign in.
fn hashed_at_once(scope: &Scope) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let wanted = usize::try_from(scope.app.config.import_parallelism).unwrap_or(usize::MAX);
    wanted.clamp(1, HASHED_AT_ONCE.max(cores / 2))
}

/// Hashes passwords, seals secrets, assigns ids: `id` to the method by which the user is known.
async fn prepare(context: &Context, scope: &Scope, new: NewUser, id: Uuid) -> Result<Result<Ready, BadLine>, Fault> {
    let first = new.first_method();
    let is_primary = new.methods.len() > 1 || new.methods.iter().any(|method| method.is_primary);
    let group = UserId::new(id.to_string());
    let (mut methods, mut verified) = (Vec::with_capacity(new.methods.len()), BTreeSet::new());
    for (place, new) in new.methods.into_iter().enumerate() {
        let id = if place == first {
            group.clone()
        } else {
            UserId::new(time_ordered_uuid(context.entropy.as_ref(), context.now()).to_string())
        };
        let NewMethod { login, external_id, verified: is_verified, time_joined, tenants, .. } = new;
        let login = match login_of(context, scope, login).await? {
            Ok(login) => login,
            Err(refused) => return Ok(Err(refused)),
        };
        if is_verified {
            verified.insert(id.clone());
        }
        let external = external_id.map(|id| ExternalId { id, info: None });
        let time_joined = time_joined.unwrap_or_else(|| context.now());
        methods.push(LoginMethod { id, external, tenants, time_joined, login });
    }
    let mut user = User { id: group, is_primary, kept_mapping: None, methods };
    user.sort();
    let devices = ImportedDevices::sealed(context, scope, user.shown_id(), new.devices).await?;
    Ok(Ok(Ready { user, roles: new.roles, metadata: new.metadata, devices, verified }))
}

async fn login_of(context: &Context, scope: &Scope, new: NewLogin) -> Result<Result<Login, BadLine>, Fault> {
    let (email, password) = match new {
        NewLogin::EmailPassword { email, password } => (email, password),
        NewLogin::ThirdParty { account, email } => return Ok(Ok(Login::ThirdParty { account, email })),
        NewLogin::Passwordless { email, phone_number } => return Ok(Ok(Login::Passwordless { email, phone_number })),
    };
    let bad = |what: &str| Ok(Err(BadLine(what.to_owned())));
    let hash = match password {
        NewPassword::Hash(hash, family) => match StoredHash::parse(hash.expose()) {
            Some(stored) if lacks_signer_key(scope, &stored) => {
                return bad("a Firebase hash cannot be checked: 'firebase_password_hashing_signer_key' is not set");
            }
            Some(stored) if family.is_none_or(|family| stored.family() == family) => stored.text(),
            Some(_) => return bad("'passwordHash' does not match 'hashingAlgorithm'"),
            None => return bad("'passwordHash' is not a usable bcrypt, argon2 or Firebase scrypt hash"),
        },
        NewPassword::Plain(password) => hashed(context, scope, password.expose()).await?,
    };
    Ok(Ok(Login::EmailPassword { email, password: PasswordHash::new(hash) }))
}

fn lacks_signer_key(scope: &Scope, hash: &StoredHash) -> bool {
    hash.family() == HashFamily::FirebaseScrypt && scope.app.config.firebase_signer_key.is_none()
}

/// Hashes a password, waiting until the queue has room.
async fn hashed(context: &Context, scope: &Scope, password: &str) -> Result<String, Fault> {
    let parameters = scope.app.config.password_hashing;
    loop {
        match context.hashing.hash(password, parameters, &*context.entropy).await {
            Ok(hash) => return Ok(hash),
            Err(SignInRefused::Busy { .. }) => tokio::time::sleep(QUEUE_WAIT).await,
            Err(SignInRefused::Fault(fault)) => return Err(fault),
            Err(other) => return Err(Fault::new("hashing a password", other)),
        }
    }
}

/// Writes a user and everything that belongs to it, or nothing.
///
/// # Errors
/// When the store fails.
pub(in crate::command) async fn write(
    tx: &mut dyn Tx,
    app: &AppId,
    ready: &Ready,
    now: UnixMillis,
) -> Result<ImportOutcome, StoreError> {
    let (user, shown) = (&ready.user, ready.user.shown_id());
    let mut tenants = user.tenants();
    tenants.extend(ready.roles.iter().flat_map(|role| &role.tenants));
    if let Some(gone) = first_missing(tx, app, tenants).await? {
        return Ok(ImportOutcome::Refused(format!("there is no tenant {gone}")));
    }
    let mut roles = Vec::with_capacity(ready.roles.len());
    for new in &ready.roles {
        let Some(found) = userroles::get(tx, app, &new.role).await? else {
            return Ok(ImportOutcome::Refused(format!("there is no role '{}'", new.role.as_str())));
        };
        roles.push((new, found.incarnation));
    }
    for external in user.methods.iter().filter_map(|method| method.external.as_ref()) {
        if user::find_internal(tx, app, &external.id).await?.is_some() {
            return Ok(ImportOutcome::Shadows);
        }
    }
    let devices = match ready.devices.beside_others(tx, app, shown).await? {
        Ok(devices) => devices,
        Err(refused) => return Ok(ImportOutcome::Refused(refused)),
    };
    if let Err(taken) = user::save(tx, app, &[], &[user]).await? {
        return Ok(ImportOutcome::Taken(taken));
    }
    if let Some(metadata) = &ready.metadata {
        usermetadata::put(tx, app, shown, metadata.clone())?;
    }
    devices.put(tx, app, shown).await?;
    for (NewRole { role, tenants }, incarnation) in roles {
        for tenant in tenants {
            Assignment { app, tenant, user: shown, role }.put(tx, incarnation)?;
        }
    }
    for method in &user.methods {
        if let Some(email) = method.login.email()
            && (ready.verified.contains(&method.id) || is_fake_email(email))
        {
            user::verified::mark(tx, app, method.shown_id(), email, now).await?;
        }
    }
    Ok(ImportOutcome::Ok)
}

async fn first_missing<'a>(
    tx: &mut dyn Tx,
    app: &AppId,
    tenants: BTreeSet<&'a TenantId>,
) -> Result<Option<&'a TenantId>, StoreError> {
    for tenant in tenants {
        if !tenant::exists(tx, app, tenant).await? {
            return Ok(Some(tenant));
        }
    }
    Ok(None)
}

/// Records a written user, and its roles, in the audit log.
///
/// # Errors
/// When an event is too large.
pub(in crate::command) async fn note(
    context: &Context,
    tx: &mut dyn Tx,
    scope: &Scope,
    ready: &Ready,
) -> Result<(), Fault> {
    let shown = ready.user.shown_id();
    audit::note(tx, context, scope, AuditEvent::of(AuditKind::UserImported).user(shown)).await?;
    for NewRole { role, tenants } in &ready.roles {
        for tenant in tenants {
            audit::note(tx, context, scope, role_event(AuditKind::RoleAssigned, shown, tenant, role)).await?;
        }
    }
    Ok(())
}
