//! `POST /recipe/session`.

use crate::app::App;
use crate::command::activity::mark_active;
use crate::command::session::Scope;
use crate::command::session::issue::{Mint, Seat, Wanted};
use crate::command::tenancy::AppEntry;
use crate::crypto::access_token::has_protected_claim;
use crate::domain::ids::{SessionHandle, TenantId, UserId};
use crate::domain::json::JsonObject;
use crate::domain::session::event::EventKind;
use crate::domain::session::family::Family;
use crate::domain::session::timeline::EventLog;
use crate::domain::session::{AccessTokenVersion, IssuedSession};
use crate::fault::{Fault, Gone};
use crate::store::session::{self, SessionRecord};
use crate::store::{CommitError, tenant};

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
    pub async fn run(self, app: &App) -> Result<Created, Fault> {
        let Scope { app: entry, cause } = &self.scope;
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
        let ring = app.keys.ring(app, entry).await?;
        let now = app.now();
        let mint = Mint::new(&ring, config, wanted, app.entropy.as_ref(), now);
        let handle = mint.handle(self.tenant);
        let use_static_key = !self.use_dynamic_signing_key;
        let seat = Seat { parent: None, awaits_use: false, generation: 0, use_static_key };
        let Some(pair) = mint.pair(&handle, &self.user_id, &self.user_data_in_jwt, &seat)? else {
            return Ok(Created::ProtectedClaim);
        };
        let expires = now.plus(config.refresh_token_validity_ms);
        let created = EventKind::Created { request_id: cause.request_id.clone() };
        let record = SessionRecord {
            user_id: self.user_id.clone(),
            created: now,
            family: Family::new(pair.hash.stored(), use_static_key, expires),
            user_data_in_jwt: self.user_data_in_jwt.clone(),
            user_data_in_database: self.user_data_in_database,
            log: EventLog::begun(now, created),
        };
        store_new(app, entry, &handle, &record).await?;
        app.metrics.sessions.created.inc();
        Ok(Created::Ok(pair.issued(handle, self.user_id, self.user_data_in_jwt, config.refresh_token_validity_ms)))
    }
}

/// Writes a session. A handle of 122 random bits is new; the tenant is read so that no session outlives it.
async fn store_new(app: &App, entry: &AppEntry, handle: &SessionHandle, record: &SessionRecord) -> Result<(), Fault> {
    let id = &entry.id;
    let writing = |error| Fault::new("writing a new session", error);
    loop {
        let mut tx = app.store.begin();
        if !tenant::exists(tx.as_mut(), id, &handle.tenant).await.map_err(writing)? {
            return Err(Fault::new("creating a session", Gone { app: id.clone(), tenant: handle.tenant.clone() }));
        }
        session::insert(tx.as_mut(), id, handle, record).map_err(writing)?;
        let active = mark_active(tx.as_mut(), app, entry, &record.user_id, record.created).map_err(writing)?;
        match tx.commit().await {
            Ok(()) => {
                active.committed(app);
                return Ok(());
            }
            // Only a change of the tenant conflicts.
            Err(CommitError::Conflict) => {}
            Err(CommitError::Store(error)) => return Err(Fault::new("committing a new session", error)),
        }
    }
}
