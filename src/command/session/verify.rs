//! `POST /recipe/session/verify`.

use crate::command::scope::Scope;
use crate::command::session::session_owner::SessionOwner;
use crate::command::session::{family_rules, key_kind};
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::crypto::access_token::{AccessToken, MintError, NewAccessToken, TokenRefusal, parse_unverified};
use crate::domain::anomaly::Anomaly;
use crate::domain::json::JsonObject;
use crate::domain::session::event::EventKind;
use crate::domain::session::family::Lineage;
use crate::domain::session::{IssuedToken, RefreshPolicy, SessionView};
use crate::domain::time::UnixMillis;
use crate::domain::token_hash::TokenHash1;
use crate::fault::Fault;
use crate::state::key::KeyRing;
use crate::state::sightings::Sighting;
use crate::store::Tx;
use crate::store::session::{self, SessionRecord};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// The sentence for a session that is gone, when the caller had it looked up.
const BLACKLISTED: &str = "Either the session has ended or has been blacklisted";

/// The sentence for a custom JWT whose claims do not match a live session.
const NO_SUCH_SESSION: &str = "The claims are not those of a live session";

/// Checks an access token.
pub struct VerifySession<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The token as presented.
    pub access_token: &'a str,
    /// The anti-CSRF token as presented.
    pub anti_csrf_token: Option<&'a str>,
    /// Whether the request needs the anti-CSRF check.
    pub do_anti_csrf_check: bool,
    /// Whether the application uses anti-CSRF tokens.
    pub enable_anti_csrf: bool,
    /// Whether to look up the session.
    pub check_database: bool,
    /// The rules of rotation: legacy promotion, or the stateless check.
    pub policy: RefreshPolicy,
}

/// The outcome of a verification.
pub enum Verified {
    /// The token is valid.
    Ok {
        /// The token's session, with the payload that now holds.
        session: Arc<SessionView>,
        /// Minted when this token was promoted or its payload had changed; never under `RotateOnRefresh`.
        access_token: Option<IssuedToken>,
        /// `RotateOnRefresh` with `check_database`: the stored payload differs from the token's.
        payload_update_available: Option<bool>,
    },
    /// The session has ended; the protocol's sentence.
    Unauthorised(&'static str),
    /// The token is not valid (any more); the protocol's sentence.
    TryRefreshToken(&'static str),
}

impl VerifySession<'_> {
    /// Verifies the token and returns the outcome.
    ///
    /// # Errors
    /// When the store or a key fails.
    pub async fn run(self, context: &Context) -> Result<Verified, Fault> {
        let ring = context.key_ring(&self.scope.app).await?;
        let token = match context.verified.verify(&ring, self.access_token, context.now()) {
            Ok(token) => token,
            Err(refusal) => {
                if refusal == TokenRefusal::UnknownKey {
                    self.note_unknown_key(context);
                }
                return Ok(Verified::TryRefreshToken(refusal.message()));
            }
        };
        if self.enable_anti_csrf && self.do_anti_csrf_check && !self.anti_csrf_matches(&token) {
            return Ok(Verified::TryRefreshToken("anti-csrf check failed"));
        }
        if token.is_custom
            && let Some(refused) = self.refuse_custom(context, &token).await?
        {
            return Ok(refused);
        }
        match self.policy {
            RefreshPolicy::RotateOnRefresh if self.check_database => self.stateless(context, &token).await,
            policy if policy.promotes_on_use() && (self.check_database || token.awaits_use()) => {
                self.promoting(context, &token).await
            }
            // The token itself suffices: no store call at all.
            _ => Ok(as_presented(&token, None)),
        }
    }

    /// Keys are forgotten when the last token that they have signed has expired.
    fn note_unknown_key(&self, context: &Context) {
        let now = context.now();
        if parse_unverified(self.access_token).is_ok_and(|token| token.expiry > now) {
            let cause = &self.scope.cause;
            let sighting = Sighting { app: &self.scope.app.id, request_id: &cause.request_id, subject: cause.call };
            context.sightings.note(Anomaly::UnknownKey, sighting, now);
        }
    }

    fn anti_csrf_matches(&self, token: &AccessToken) -> bool {
        match (&token.anti_csrf_token, self.anti_csrf_token) {
            (Some(demanded), Some(presented)) => presented.as_bytes().ct_eq(demanded.as_bytes()).into(),
            _ => false,
        }
    }

    /// The claims of a custom JWT come from the application, and may contain what its users typed. So the session is
    /// looked up even where it would not be for a token of ours: it must be live, belong to this user, and have the
    /// refresh token's hash, which is known only from one of the session's own tokens.
    async fn refuse_custom(&self, context: &Context, token: &AccessToken) -> Result<Option<Verified>, Fault> {
        let mut tx = context.store.begin();
        let now = context.now();
        let Some(record) = self.load(tx.as_mut(), token).await?.filter(|record| record.family.expires > now) else {
            return Ok(Some(if self.check_database {
                Verified::Unauthorised(BLACKLISTED)
            } else {
                Verified::TryRefreshToken(NO_SUCH_SESSION)
            }));
        };
        let owner = SessionOwner::of_row(tx.as_mut(), &self.scope.app.id, &record.user_id).await?;
        let session = &token.session;
        let is_its_own = owner.user_id == session.user_id
            && owner.recipe_user_id == session.recipe_user_id
            && record.family.knows(&lineage(token));
        Ok((!is_its_own).then_some(Verified::TryRefreshToken(NO_SUCH_SESSION)))
    }

    /// CDI ≥ 5.6 with `checkDatabase`: reads, never writes.
    async fn stateless(&self, context: &Context, token: &AccessToken) -> Result<Verified, Fault> {
        let mut tx = context.store.begin();
        let Some(record) = self.load(tx.as_mut(), token).await? else {
            return Ok(Verified::Unauthorised(BLACKLISTED));
        };
        if !record.family.knows(&lineage(token)) {
            return Ok(Verified::Unauthorised("rotated-out token branch; refresh required"));
        }
        let changed = !record.user_data_in_jwt.same_value(&token.session.user_data_in_jwt);
        Ok(as_presented(token, Some(changed)))
    }

    /// CDI ≤ 5.5, front door: the first use of a refreshed token promotes it; a token with a changed payload is minted.
    async fn promoting(&self, context: &Context, token: &AccessToken) -> Result<Verified, Fault> {
        let verified =
            transact(context, &token.session.handle, "committing a promotion", |tx| self.promote(context, tx, token));
        let (verified, event) = verified.await?;
        if let Some(event) = event {
            context.metrics.sessions.count(&event);
        }
        Ok(verified)
    }

    /// The outcome, and its effect on the family.
    async fn promote(
        &self,
        context: &Context,
        mut tx: Box<dyn Tx>,
        token: &AccessToken,
    ) -> Result<Step<(Verified, Option<EventKind>)>, Fault> {
        let Some(mut record) = self.load(tx.as_mut(), token).await? else {
            let sentence = if self.check_database { BLACKLISTED } else { "Session missing in db" };
            return Ok(Step::Done((Verified::Unauthorised(sentence), None)));
        };
        let changed = self.check_database && !record.user_data_in_jwt.same_value(&token.session.user_data_in_jwt);
        if !token.awaits_use() && !changed {
            return Ok(Step::Done((as_presented(token, None), None)));
        }
        let config = &self.scope.app.config;
        let now = context.now();
        let decision = record.family.verify(&lineage(token), changed, &family_rules(config), now);
        if !decision.remint {
            return Ok(Step::Done((as_presented(token, None), None)));
        }
        let ring = context.key_ring_to_mint(&self.scope.app, token.version).await?;
        let Some(access_token) = mint_anew(&ring, token, &record, now, config.access_token_validity_ms)? else {
            return Ok(Step::Done((Verified::Unauthorised("The user payload contains protected field"), None)));
        };
        let session = with_payload(&token.session, record.user_data_in_jwt.clone());
        let verified = Verified::Ok { session, access_token: Some(access_token), payload_update_available: None };
        let Some((family, event)) = decision.change else { return Ok(Step::Done((verified, None))) };
        record.family = family;
        record.log.push(now, event.clone());
        session::update(tx.as_mut(), &self.scope.app.id, &token.session.handle, &record)
            .map_err(|error| Fault::new("writing a promotion", error))?;
        Ok(Step::Commit(tx, (verified, Some(event))))
    }

    async fn load(&self, tx: &mut dyn Tx, token: &AccessToken) -> Result<Option<SessionRecord>, Fault> {
        let found = session::get(tx, &self.scope.app.id, &token.session.handle).await;
        found.map_err(|error| Fault::new("loading a session", error))
    }
}

fn as_presented(token: &AccessToken, payload_update_available: Option<bool>) -> Verified {
    Verified::Ok { session: Arc::clone(&token.session), access_token: None, payload_update_available }
}

fn lineage(token: &AccessToken) -> Lineage {
    Lineage {
        hash: token.refresh_token_hash_1.stored(),
        parent: token.parent_refresh_token_hash_1.as_ref().map(TokenHash1::stored),
    }
}

/// The same token with the stored payload and a full lifetime, no longer waiting for its first use. `None` when the
/// payload has a name that the token's layout reserves.
fn mint_anew(
    ring: &KeyRing,
    token: &AccessToken,
    record: &SessionRecord,
    now: UnixMillis,
    validity_ms: u64,
) -> Result<Option<IssuedToken>, Fault> {
    let minted = ring.tokens.mint(
        key_kind(record.family.use_static_key),
        &NewAccessToken {
            version: token.version,
            handle: &token.session.handle,
            user_id: &token.session.user_id,
            recipe_user_id: &token.session.recipe_user_id,
            refresh_token_hash_1: &token.refresh_token_hash_1,
            parent_refresh_token_hash_1: None,
            anti_csrf_token: token.anti_csrf_token.as_deref(),
            user_data: &record.user_data_in_jwt,
            created: now,
            expiry: now.plus(validity_ms),
        },
    );
    match minted {
        Ok(token) => Ok(Some(token)),
        Err(MintError::ProtectedClaim) => Ok(None),
        Err(error) => Err(Fault::new("signing an access token", error)),
    }
}

/// The same session with another payload; shares the view when the payload is the same text.
fn with_payload(session: &Arc<SessionView>, user_data_in_jwt: JsonObject) -> Arc<SessionView> {
    if session.user_data_in_jwt == user_data_in_jwt {
        return Arc::clone(session);
    }
    Arc::new(SessionView { user_data_in_jwt, ..SessionView::clone(session) })
}
