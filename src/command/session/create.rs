//! `POST /recipe/session`.

use crate::app::App;
use crate::command::session::{Scope, access_token_expiry_for, key_kind};
use crate::crypto::access_token::{MintError, NewAccessToken};
use crate::crypto::refresh_token::RefreshToken;
use crate::domain::entropy::{Draw, random_uuid};
use crate::domain::ids::{SessionHandle, TenantId, UserId};
use crate::domain::json::JsonObject;
use crate::domain::session::event::EventKind;
use crate::domain::session::family::Family;
use crate::domain::session::lifetime::override_is_valid;
use crate::domain::session::timeline::EventLog;
use crate::domain::session::{AccessTokenVersion, IssuedSession, IssuedToken, SessionView};
use crate::domain::token_hash::TokenHash1;
use crate::fault::Fault;
use crate::store::session::{self, SessionRecord};

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
        if self.access_token_validity_ms.is_some_and(|ms| !override_is_valid(ms, config.access_token_validity_ms)) {
            return Ok(Created::InvalidAccessTokenValidity { max_ms: config.access_token_validity_ms });
        }
        let ring = app.keys.ring(app, entry).await?;
        let now = app.now();
        let draw = Draw::<64>::new(app.entropy.as_ref());
        let handle = SessionHandle { uuid: random_uuid(&draw), tenant: self.tenant };
        let anti_csrf_token = self.enable_anti_csrf.then(|| random_uuid(&draw).to_string());
        let access_expiry = access_token_expiry_for(config, self.access_token_validity_ms, &draw, now);
        let refresh_token = RefreshToken {
            handle: handle.clone(),
            user_id: self.user_id.clone(),
            parent_refresh_token_hash_1: None,
            anti_csrf_token: anti_csrf_token.clone(),
            generation: 0,
            minted: now,
        };
        let refresh_text = ring.refresh_sealing.seal_refresh_token(&refresh_token, &draw);
        let hash = TokenHash1::of(refresh_text.expose());
        let minted = ring.tokens.mint(
            key_kind(!self.use_dynamic_signing_key),
            &NewAccessToken {
                version: self.token_version,
                handle: &handle,
                user_id: &self.user_id,
                recipe_user_id: &self.user_id,
                refresh_token_hash_1: &hash,
                parent_refresh_token_hash_1: None,
                anti_csrf_token: anti_csrf_token.as_deref(),
                user_data: &self.user_data_in_jwt,
                created: now,
                expiry: access_expiry,
            },
        );
        let access_token = match minted {
            Ok(token) => token,
            Err(MintError::ProtectedClaim) => return Ok(Created::ProtectedClaim),
            Err(error @ MintError::Signing { .. }) => return Err(Fault::new("signing an access token", error)),
        };
        let expires = now.plus(config.refresh_token_validity_ms);
        let created = EventKind::Created { request_id: cause.request_id.clone() };
        let record = SessionRecord {
            user_id: self.user_id.clone(),
            created: now,
            family: Family::new(hash.stored(), !self.use_dynamic_signing_key, expires),
            user_data_in_jwt: self.user_data_in_jwt.clone(),
            user_data_in_database: self.user_data_in_database,
            log: EventLog::begun(now, created),
        };
        let mut tx = app.store.begin();
        session::insert(tx.as_mut(), &entry.id, &handle, &record).map_err(|e| Fault::new("writing a session", e))?;
        tx.commit().await.map_err(|error| Fault::new("committing a new session", error))?;
        Ok(Created::Ok(Box::new(IssuedSession {
            session: SessionView {
                handle,
                user_id: self.user_id.clone(),
                recipe_user_id: self.user_id,
                user_data_in_jwt: self.user_data_in_jwt,
            },
            access_token,
            refresh_token: IssuedToken { token: refresh_text, expiry: expires, created: now },
            anti_csrf_token,
        })))
    }
}
