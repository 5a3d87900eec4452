//! Minting the pair of tokens that create and refresh hand out.

use super::session_owner::SessionOwner;
use super::{access_token_expiry_for, key_kind};
use crate::config::AppConfig;
use crate::crypto::access_token::{MintError, NewAccessToken};
use crate::crypto::refresh_token::RefreshToken;
use crate::domain::entropy::{Entropy, RandomPool, random_uuid, time_ordered_uuid};
use crate::domain::ids::{SessionHandle, TenantId};
use crate::domain::json::JsonObject;
use crate::domain::secret::Secret;
use crate::domain::session::lifetime::override_is_valid;
use crate::domain::session::size::TokenTooLarge;
use crate::domain::session::{AccessTokenVersion, IssuedSession, IssuedToken, SessionView};
use crate::domain::time::UnixMillis;
use crate::domain::token_hash::TokenHash1;
use crate::fault::Fault;
use crate::state::key::KeyRing;

/// Random bytes for one pair: handle, anti-CSRF token, salts and nonces of the refresh token, jitter.
const RANDOM_BYTES: usize = 72;

/// The options of a pair, common to both commands.
#[derive(Debug, Clone, Copy)]
pub(super) struct PairOptions {
    /// Whether to mint an anti-CSRF token.
    pub(super) anti_csrf: bool,
    /// Lifetime of the access token in ms instead of the configured one.
    pub(super) access_token_validity_ms: Option<u64>,
    /// Layout of the access token.
    pub(super) token_version: AccessTokenVersion,
    /// The largest access token that the client can keep, in bytes.
    pub(super) max_access_token_bytes: Option<usize>,
}

impl PairOptions {
    /// The configured lifetime, if the caller's own lifetime exceeds it or is 0.
    pub(super) fn broken_limit(&self, config: &AppConfig) -> Option<u64> {
        let max_ms = config.access_token_validity_ms;
        self.access_token_validity_ms.is_some_and(|ms| !override_is_valid(ms, max_ms)).then_some(max_ms)
    }
}

/// The position of a pair in its family.
pub(super) struct PairSpec<'a> {
    /// The refresh token that was exchanged.
    pub(super) parent: Option<&'a TokenHash1>,
    /// Whether the access token names the parent, so that its first use promotes.
    pub(super) awaits_use: bool,
    /// The family's generation.
    pub(super) generation: u64,
    /// Whether to sign with the static key.
    pub(super) use_static_key: bool,
}

/// Mints pairs for one request, from one batch of random bytes.
pub(super) struct Mint<'a> {
    ring: &'a KeyRing,
    config: &'a AppConfig,
    options: PairOptions,
    random: RandomPool<'a, RANDOM_BYTES>,
    now: UnixMillis,
}

/// Why there is no pair.
pub(super) enum PairRefused {
    /// The payload has a name that the access token's layout reserves.
    ProtectedClaim,
    /// The client could not keep the access token.
    TooLarge(TokenTooLarge),
}

/// A pair, sealed and signed.
pub(super) struct Pair {
    refresh: Secret<String>,
    /// Hash of the refresh token.
    pub(super) hash: TokenHash1,
    access: IssuedToken,
    anti_csrf: Option<String>,
    now: UnixMillis,
}

impl<'a> Mint<'a> {
    pub(super) fn new(
        ring: &'a KeyRing,
        config: &'a AppConfig,
        options: PairOptions,
        entropy: &'a dyn Entropy,
        now: UnixMillis,
    ) -> Self {
        Self { ring, config, options, random: RandomPool::new(entropy), now }
    }

    /// The handle of a new session. It begins with the time, so that new rows share the last leaf of the index instead
    /// of changing a random one each; a handle is not a secret.
    pub(super) fn handle(&self, tenant: TenantId) -> SessionHandle {
        SessionHandle { uuid: time_ordered_uuid(&self.random, self.now), tenant }
    }

    /// Mints the pair, unless the payload does not go into an access token.
    ///
    /// # Errors
    /// When signing fails.
    pub(super) fn pair(
        &self,
        handle: &SessionHandle,
        owner: &SessionOwner,
        user_data: &JsonObject,
        spec: &PairSpec<'_>,
    ) -> Result<Result<Pair, PairRefused>, Fault> {
        let anti_csrf = self.options.anti_csrf.then(|| random_uuid(&self.random).to_string());
        let token = RefreshToken {
            handle: handle.clone(),
            user_id: owner.recipe_user_id.clone(),
            parent_refresh_token_hash_1: spec.parent.copied(),
            anti_csrf_token: anti_csrf.clone(),
            generation: spec.generation,
        };
        let refresh = self.ring.seal_refresh_token(&token, &self.random);
        let hash = TokenHash1::of(refresh.expose());
        let access = self.ring.tokens.mint(
            key_kind(spec.use_static_key),
            &NewAccessToken {
                version: self.options.token_version,
                handle,
                user_id: &owner.user_id,
                recipe_user_id: &owner.recipe_user_id,
                refresh_token_hash_1: &hash,
                parent_refresh_token_hash_1: spec.parent.filter(|_| spec.awaits_use),
                anti_csrf_token: anti_csrf.as_deref(),
                user_data,
                created: self.now,
                expiry: access_token_expiry_for(
                    self.config,
                    self.options.access_token_validity_ms,
                    &self.random,
                    self.now,
                ),
            },
        );
        match access {
            Ok(access) => {
                let bytes = access.token.expose().len();
                Ok(match TokenTooLarge::check(bytes, self.options.max_access_token_bytes, user_data) {
                    Some(flaw) => Err(PairRefused::TooLarge(flaw)),
                    None => Ok(Pair { refresh, hash, access, anti_csrf, now: self.now }),
                })
            }
            Err(MintError::ProtectedClaim) => Ok(Err(PairRefused::ProtectedClaim)),
            Err(error) => Err(Fault::new("signing an access token", error)),
        }
    }
}

impl Pair {
    /// The tokens as the caller gets them.
    pub(super) fn issued(
        self,
        handle: SessionHandle,
        owner: SessionOwner,
        user_data_in_jwt: JsonObject,
        refresh_validity_ms: u64,
    ) -> Box<IssuedSession> {
        let SessionOwner { user_id, recipe_user_id } = owner;
        Box::new(IssuedSession {
            session: SessionView { handle, user_id, recipe_user_id, user_data_in_jwt },
            access_token: self.access,
            refresh_token: IssuedToken {
                token: self.refresh,
                expiry: self.now.plus(refresh_validity_ms),
                created: self.now,
            },
            anti_csrf_token: self.anti_csrf,
        })
    }
}
