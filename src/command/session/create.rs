//! `POST /recipe/session`.

use crate::command::activity::{Marked, mark_active};
use crate::command::hook::raise;
use crate::command::scope::Scope;
use crate::command::session::issue::{Mint, PairOptions, PairRefused, PairSpec};
use crate::command::session::session_owner::SessionOwner;
use crate::command::transact::{Step, transact};
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
use crate::fault::{Fault, Gone};
use crate::store::session::{self, SessionRecord};
use crate::store::{Tx, tenant};

/// Creates a session.
pub struct CreateSession {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant of the session.
    pub tenant: TenantId,
    /// The user who signed in.
    pub user_id: UserId,
    /// Whether to mint an anti-CSRF token.
    pub enable_anti_csrf: bool,
    /// Custom claims.
    pub user_data_in_jwt: JsonObject,
    /// Data that is kept in the store only.
    pub user_data_in_database: JsonObject,
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
        let config = &entry.config;
        let options = PairOptions {
            anti_csrf: self.enable_anti_csrf,
            access_token_validity_ms: self.access_token_validity_ms,
            token_version: self.token_version,
            max_access_token_bytes: self.max_access_token_bytes,
        };
        if let Some(max_ms) = options.broken_limit(config) {
            return Ok(Created::InvalidAccessTokenValidity { max_ms });
        }
        // Minting checks flat layouts only; a new session's payload is checked against the reserved names of every
        // layout.
        if !self.token_version.is_flat() && has_protected_claim(self.token_version, &self.user_data_in_jwt) {
            return Ok(Created::ProtectedClaim);
        }
        let ring = context.key_ring_to_mint(entry, self.token_version).await?;
        // Conflicts only with a change of the tenant or of the user.
        let created = transact(context, &self.user_id, "committing a new session", |tx| {
            let now = context.now();
            let mint = Mint::new(&ring, config, options, context.entropy.as_ref(), now);
            self.attempt(context, tx, mint, now)
        });
        let (issued, active) = match created.await? {
            Ok(created) => created,
            Err(PairRefused::ProtectedClaim) => return Ok(Created::ProtectedClaim),
            Err(PairRefused::TooLarge(flaw)) => return Ok(Created::TooLarge(flaw)),
        };
        active.committed();
        context.metrics.sessions.created.inc();
        Ok(Created::Ok(issued))
    }

    /// Mints and writes. A handle made of the time and 74 random bits is unique; the tenant and the user are read, so
    /// that no session outlives the tenant or is created for an outdated user. Refused for a payload that
    /// no token can hold.
    async fn attempt(
        &self,
        context: &Context,
        mut tx: Box<dyn Tx>,
        mint: Mint<'_>,
        now: UnixMillis,
    ) -> Result<Step<Result<(Box<IssuedSession>, Marked), PairRefused>>, Fault> {
        let writing = |error| Fault::new("writing a new session", error);
        let Scope { app: entry, cause } = &self.scope;
        if !tenant::exists(tx.as_mut(), &entry.id, &self.tenant).await.map_err(writing)? {
            let gone = Gone { app: entry.id.clone(), tenant: self.tenant.clone() };
            return Err(Fault::new("creating a session", gone));
        }
        let owner = SessionOwner::of_id(tx.as_mut(), &entry.id, &self.user_id).await?;
        let handle = mint.handle(self.tenant.clone());
        let use_static_key = !self.use_dynamic_signing_key;
        let spec = PairSpec { parent: None, awaits_use: false, generation: 0, use_static_key };
        let pair = match mint.pair(&handle, &owner, &self.user_data_in_jwt, &spec)? {
            Ok(pair) => pair,
            Err(refused) => return Ok(Step::Done(Err(refused))),
        };
        let validity_ms = entry.config.refresh_token_validity_ms;
        let created = EventKind::Created { request_id: cause.request_id.clone() };
        let record = SessionRecord {
            user_id: owner.recipe_user_id.clone(),
            created: now,
            family: Family::new(pair.hash.stored(), use_static_key, now.plus(validity_ms)),
            user_data_in_jwt: self.user_data_in_jwt.clone(),
            user_data_in_database: self.user_data_in_database.clone(),
            log: EventLog::starting_with(now, created),
            clients: self.client.clone().map(SessionClients::created_by),
        };
        session::insert(tx.as_mut(), &entry.id, &handle, &record).map_err(writing)?;
        raise(tx.as_mut(), context, &self.scope, &owner.event(HookEventKind::SessionCreated, &handle)).await?;
        let active = mark_active(tx.as_mut(), context, entry, &owner.user_id, now).await.map_err(writing)?;
        let issued = pair.issued(handle, owner, self.user_data_in_jwt.clone(), validity_ms);
        Ok(Step::Commit(tx, Ok((issued, active))))
    }
}
