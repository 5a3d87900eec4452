//! `POST /recipe/session`.

use crate::command::activity::{Marked, mark_active};
use crate::command::scope::Scope;
use crate::command::session::holder::Holder;
use crate::command::session::issue::{Mint, Seat, Wanted};
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::crypto::access_token::has_protected_claim;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::json::JsonObject;
use crate::domain::session::event::EventKind;
use crate::domain::session::family::Family;
use crate::domain::session::timeline::EventLog;
use crate::domain::session::{AccessTokenVersion, IssuedSession};
use crate::domain::time::UnixMillis;
use crate::fault::{Fault, Gone};
use crate::store::session::{self, SessionRecord};
use crate::store::{Tx, tenant};

/// Creates a session.
pub struct CreateSession {
    /// Where.
    pub scope: Scope,
    /// In which tenant.
    pub tenant: TenantId,
    /// For whom.
    pub user_id: UserId,
    /// Mint an anti-CSRF token.
    pub enable_anti_csrf: bool,
    /// Custom claims.
    pub user_data_in_jwt: JsonObject,
    /// Kept in the store only.
    pub user_data_in_database: JsonObject,
    /// Sign with the dynamic key (else the static one).
    pub use_dynamic_signing_key: bool,
    /// Lifetime of the access token in ms instead of the configured one, without jitter.
    pub access_token_validity_ms: Option<u64>,
    /// Layout of the access token.
    pub token_version: AccessTokenVersion,
}

/// How it ended.
pub enum Created {
    /// The session stands, durably.
    Ok(Box<IssuedSession>),
    /// The payload has a name that the token's version reserves.
    ProtectedClaim,
    /// `access_token_validity_ms` is 0 or above the configured lifetime.
    InvalidAccessTokenValidity {
        /// The configured lifetime.
        max_ms: u64,
    },
}

impl CreateSession {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store or a key fails.
    pub async fn run(self, app: &Context) -> Result<Created, Fault> {
        let entry = &self.scope.app;
        let config = &entry.config;
        let wanted = Wanted {
            anti_csrf: self.enable_anti_csrf,
            access_token_validity_ms: self.access_token_validity_ms,
            token_version: self.token_version,
        };
        if let Some(max_ms) = wanted.broken_limit(config) {
            return Ok(Created::InvalidAccessTokenValidity { max_ms });
        }
        // Minting looks at flat layouts only; a new session's payload is refused by every layout's names.
        if !self.token_version.is_flat() && has_protected_claim(self.token_version, &self.user_data_in_jwt) {
            return Ok(Created::ProtectedClaim);
        }
        let ring = app.key_ring_to_mint(entry, self.token_version).await?;
        // Only a change of the tenant or of the user conflicts.
        let created = transact(app, &self.user_id, "committing a new session", |tx| {
            let now = app.now();
            let mint = Mint::new(&ring, config, wanted, app.entropy.as_ref(), now);
            self.attempt(app, tx, mint, now)
        });
        let Some((issued, active)) = created.await? else { return Ok(Created::ProtectedClaim) };
        active.committed();
        app.metrics.sessions.created.inc();
        Ok(Created::Ok(issued))
    }

    /// Mints and writes. A handle of a moment and 74 random bits is new; the tenant and the user are read, so that no session
    /// outlives the one, and none is made for the other as it was. `None` for a payload with a reserved name.
    async fn attempt(
        &self,
        app: &Context,
        mut tx: Box<dyn Tx>,
        mint: Mint<'_>,
        now: UnixMillis,
    ) -> Result<Step<Option<(Box<IssuedSession>, Marked)>>, Fault> {
        let writing = |error| Fault::new("writing a new session", error);
        let Scope { app: entry, cause } = &self.scope;
        if !tenant::exists(tx.as_mut(), &entry.id, &self.tenant).await.map_err(writing)? {
            let gone = Gone { app: entry.id.clone(), tenant: self.tenant.clone() };
            return Err(Fault::new("creating a session", gone));
        }
        let holder = Holder::of_id(tx.as_mut(), &entry.id, &self.user_id).await?;
        let handle = mint.handle(self.tenant.clone());
        let use_static_key = !self.use_dynamic_signing_key;
        let seat = Seat { parent: None, awaits_use: false, generation: 0, use_static_key };
        let Some(pair) = mint.pair(&handle, &holder, &self.user_data_in_jwt, &seat)? else {
            return Ok(Step::Done(None));
        };
        let validity_ms = entry.config.refresh_token_validity_ms;
        let created = EventKind::Created { request_id: cause.request_id.clone() };
        let record = SessionRecord {
            user_id: holder.recipe_user_id.clone(),
            created: now,
            family: Family::new(pair.hash.stored(), use_static_key, now.plus(validity_ms)),
            user_data_in_jwt: self.user_data_in_jwt.clone(),
            user_data_in_database: self.user_data_in_database.clone(),
            log: EventLog::begun(now, created),
        };
        session::insert(tx.as_mut(), &entry.id, &handle, &record).map_err(writing)?;
        let active = mark_active(tx.as_mut(), app, entry, &holder.user_id, now).await.map_err(writing)?;
        let issued = pair.issued(handle, holder, self.user_data_in_jwt.clone(), validity_ms);
        Ok(Step::Commit(tx, Some((issued, active))))
    }
}
