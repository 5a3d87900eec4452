//! `POST /recipe/session`, and sessions that begin in the transaction of a sign-up or sign-in.

use crate::command::activity::{Marked, mark_active};
use crate::command::hook::raise;
use crate::command::scope::Scope;
use crate::command::session::issue::{Mint, PairOptions, PairRefused, PairSpec};
use crate::command::session::session_owner::SessionOwner;
use crate::command::transact::{Step, transact};
use crate::command::user::{Person, require_tenant};
use crate::context::Context;
use crate::crypto::access_token::has_protected_claim;
use crate::domain::hook::HookEventKind;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::json::JsonObject;
use crate::domain::session::client::{Client, SessionClients};
use crate::domain::session::event::EventKind;
use crate::domain::session::family::Family;
use crate::domain::session::size::TokenTooLarge;
use crate::domain::session::timeline::EventLog;
use crate::domain::session::{AccessTokenVersion, IssuedSession};
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::state::key::KeyRing;
use crate::store::Tx;
use crate::store::session::{self, SessionRecord};

/// Creates a session.
pub struct CreateSession {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant of the session.
    pub tenant: TenantId,
    /// The user who signed in.
    pub user_id: UserId,
    /// Custom claims.
    pub user_data_in_jwt: JsonObject,
    /// Data that is kept in the store only.
    pub user_data_in_database: JsonObject,
    /// What the session is like.
    pub options: SessionOptions,
}

/// What a new session is like, whoever its owner is.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Whether to mint an anti-CSRF token.
    pub enable_anti_csrf: bool,
    /// Whether to sign with the dynamic key instead of the static one.
    pub use_dynamic_signing_key: bool,
    /// Lifetime of the access token in ms instead of the configured one, without jitter.
    pub access_token_validity_ms: Option<u64>,
    /// Layout of the access token.
    pub token_version: AccessTokenVersion,
    /// The largest access token that the client can keep, in bytes, if that is limited.
    pub max_access_token_bytes: Option<usize>,
    /// The browser or app that signs in, if it is known and may be recorded.
    pub client: Option<Client>,
}

impl SessionOptions {
    const fn pair(&self) -> PairOptions {
        PairOptions {
            anti_csrf: self.enable_anti_csrf,
            access_token_validity_ms: self.access_token_validity_ms,
            token_version: self.token_version,
            max_access_token_bytes: self.max_access_token_bytes,
        }
    }
}

/// The outcome of creating a session.
pub enum Created {
    /// The session is created, durably.
    Ok(Box<IssuedSession>),
    /// The payload has a name that the token's version reserves.
    ProtectedClaim,
    /// `access_token_validity_ms` is 0 or above the configured lifetime.
    InvalidAccessTokenValidity {
        /// The configured lifetime.
        max_ms: u64,
    },
    /// The client could not keep the access token. Nothing was written.
    TooLarge(TokenTooLarge),
}

impl CreateSession {
    /// Creates the session and returns the outcome.
    ///
    /// # Errors
    /// When the store or a key fails.
    pub async fn run(self, context: &Context) -> Result<Created, Fault> {
        let entry = &self.scope.app;
        let version = self.options.token_version;
        if let Some(max_ms) = self.options.pair().broken_limit(&entry.config) {
            return Ok(Created::InvalidAccessTokenValidity { max_ms });
        }
        // Minting checks flat layouts only; a new session's payload is checked against the reserved names of every
        // layout.
        if !version.is_flat() && has_protected_claim(version, &self.user_data_in_jwt) {
            return Ok(Created::ProtectedClaim);
        }
        let ring = context.key_ring_to_mint(entry, version).await?;
        // Conflicts only with a change of the tenant or of the user.
        let created =
            transact(context, &self.user_id, "committing a new session", |tx| self.attempt(context, tx, &ring));
        let (issued, active) = match created.await? {
            Ok(created) => created,
            Err(PairRefused::ProtectedClaim) => return Ok(Created::ProtectedClaim),
            Err(PairRefused::TooLarge(flaw)) => return Ok(Created::TooLarge(flaw)),
        };
        active.committed();
        context.metrics.sessions.created.inc();
        Ok(Created::Ok(issued))
    }

    /// The user is read, so that no session is created for an outdated one.
    async fn attempt(
        &self,
        context: &Context,
        mut tx: Box<dyn Tx>,
        ring: &KeyRing,
    ) -> Result<Step<Result<(Box<IssuedSession>, Marked), PairRefused>>, Fault> {
        let (entry, now) = (&self.scope.app, context.now());
        let owner = SessionOwner::of_id(tx.as_mut(), &entry.id, &self.user_id).await?;
        let draft = Draft {
            scope: &self.scope,
            tenant: &self.tenant,
            owner,
            user_data_in_jwt: self.user_data_in_jwt.clone(),
            user_data_in_database: self.user_data_in_database.clone(),
            options: &self.options,
        };
        let issued = match draft.add(context, tx.as_mut(), ring, now).await? {
            Ok(issued) => issued,
            Err(refused) => return Ok(Step::Done(Err(refused))),
        };
        let active = mark_active(tx.as_mut(), context, entry, &issued.session.user_id, now).await;
        let active = active.map_err(|error| Fault::new("writing a new session", error))?;
        Ok(Step::Commit(tx, Ok((issued, active))))
    }
}

/// Adds a session to the transaction that signs its owner up or in, with this payload of its access tokens. `None`,
/// with nothing added, if no token can have the payload, or the client could not keep the token.
///
/// # Errors
/// When the store or a key fails, or the tenant is gone.
pub(in crate::command) async fn begin_session(
    context: &Context,
    tx: &mut dyn Tx,
    (scope, tenant): (&Scope, &TenantId),
    (person, payload): (&Person, JsonObject),
    options: &SessionOptions,
) -> Result<Option<Box<IssuedSession>>, Fault> {
    let ring = context.key_ring_to_mint(&scope.app, options.token_version).await?;
    let draft = Draft {
        scope,
        tenant,
        owner: SessionOwner::of_person(person),
        user_data_in_jwt: payload,
        user_data_in_database: JsonObject::empty(),
        options,
    };
    Ok(draft.add(context, tx, &ring, context.now()).await?.ok())
}

/// A session that is about to be added to a transaction.
struct Draft<'a> {
    scope: &'a Scope,
    tenant: &'a TenantId,
    owner: SessionOwner,
    user_data_in_jwt: JsonObject,
    user_data_in_database: JsonObject,
    options: &'a SessionOptions,
}

impl Draft<'_> {
    /// Mints and writes. A handle made of the time and 74 random bits is unique; the tenant is read, so that no session
    /// outlives it. Refused, with nothing written, for a payload that no token can hold.
    async fn add(
        self,
        context: &Context,
        tx: &mut dyn Tx,
        ring: &KeyRing,
        now: UnixMillis,
    ) -> Result<Result<Box<IssuedSession>, PairRefused>, Fault> {
        let Self { scope, tenant, owner, user_data_in_jwt, user_data_in_database, options } = self;
        let Scope { app: entry, cause } = scope;
        require_tenant(tx, scope, tenant, "creating a session").await?;
        let mint = Mint::new(ring, &entry.config, options.pair(), context.entropy.as_ref(), now);
        let handle = mint.handle(tenant.clone());
        let use_static_key = !options.use_dynamic_signing_key;
        let spec = PairSpec { parent: None, awaits_use: false, generation: 0, use_static_key };
        let pair = match mint.pair(&handle, &owner, &user_data_in_jwt, &spec)? {
            Ok(pair) => pair,
            Err(refused) => return Ok(Err(refused)),
        };
        let validity_ms = entry.config.refresh_token_validity_ms;
        let created = EventKind::Created { request_id: cause.request_id.clone() };
        let record = SessionRecord {
            user_id: owner.recipe_user_id.clone(),
            created: now,
            family: Family::new(pair.hash.stored(), use_static_key, now.plus(validity_ms)),
            user_data_in_jwt: user_data_in_jwt.clone(),
            user_data_in_database,
            log: EventLog::starting_with(now, created),
            clients: options.client.clone().map(SessionClients::created_by),
        };
        let written = session::insert(tx, &entry.id, &handle, &record);
        written.map_err(|error| Fault::new("writing a new session", error))?;
        let begun = owner.event(HookEventKind::SessionCreated, (&handle, record.clients.as_ref()));
        raise(tx, context, scope, &begun).await?;
        Ok(Ok(pair.issued(handle, owner, user_data_in_jwt, validity_ms)))
    }
}
