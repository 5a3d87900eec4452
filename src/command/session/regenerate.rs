//! `POST /recipe/session/regenerate`.

use crate::command::scope::Scope;
use crate::command::session::key_kind;
use crate::command::session::session_owner::SessionOwner;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::crypto::access_token::{
    AccessToken, MintError, NewAccessToken, TokenRefusal, has_protected_claim, parse_unverified,
};
use crate::domain::json::{Json, JsonObject, Members};
use crate::domain::session::event::EventKind;
use crate::domain::session::size::TokenTooLarge;
use crate::domain::session::{IssuedToken, SessionView};
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::state::key::KeyRing;
use crate::store::Tx;
use crate::store::session;

/// Mints an access token with a new payload. The presented token's signature is not checked (CDI: regenerate).
pub struct RegenerateAccessToken<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The token as presented, possibly expired.
    pub access_token: &'a str,
    /// The new payload.
    pub payload: NewPayload<'a>,
    /// Whether to refuse protected names in nested layouts too (CDI ≥ 2.21); flat ones always refuse them.
    pub check_protected_claims: bool,
    /// The largest access token that the client can keep, in bytes, if that is limited.
    pub max_access_token_bytes: Option<usize>,
}

/// The payload that a session gets.
pub enum NewPayload<'a> {
    /// The stored one.
    Stored,
    /// This one instead of the stored one.
    Replaced(JsonObject),
    /// The stored one, with this claim as the function makes it from the stored claim. What the session's application
    /// has changed meanwhile stays, whatever the presented token says.
    Claim(&'static str, &'a (dyn Fn(Option<&Json>) -> Json + Sync)),
}

impl NewPayload<'_> {
    fn instead_of(&self, stored: &JsonObject) -> JsonObject {
        match self {
            Self::Stored => stored.clone(),
            Self::Replaced(payload) => payload.clone(),
            Self::Claim(name, value) => {
                let mut payload = Members::parse(stored.as_str()).unwrap_or_default();
                payload.set(name, value(payload.get(name)));
                JsonObject::from(&payload)
            }
        }
    }
}

/// The outcome of a regeneration.
pub enum Regenerated {
    /// The session has the payload.
    Ok {
        /// The session with its new payload.
        session: SessionView,
        /// Absent when the presented token had expired.
        access_token: Option<IssuedToken>,
    },
    /// No such session, or claims of the wrong shape; the protocol's sentence.
    Unauthorised(&'static str),
    /// The payload has a name that the token's version reserves.
    ProtectedClaim,
    /// The client could not keep the access token. Nothing was written.
    TooLarge(TokenTooLarge),
    /// Not a JWT at all (the original answers 500).
    Unparsable,
}

impl RegenerateAccessToken<'_> {
    /// Regenerates the token and returns the outcome.
    ///
    /// # Errors
    /// When the store or a key fails.
    pub async fn run(self, context: &Context) -> Result<Regenerated, Fault> {
        let token = match parse_unverified(self.access_token) {
            Ok(token) => token,
            Err(TokenRefusal::Unparsable) => return Ok(Regenerated::Unparsable),
            Err(refusal) => return Ok(Regenerated::Unauthorised(refusal.message())),
        };
        // The older refusal: whether there is such a session does not matter to it.
        if matches!(&self.payload, NewPayload::Replaced(payload) if self.is_protected(&token, payload)) {
            return Ok(Regenerated::ProtectedClaim);
        }
        let ring = context.key_ring_to_mint(&self.scope.app, token.version).await?;
        transact(context, &token.session.handle, "committing a payload", |tx| self.attempt(context, tx, &ring, &token))
            .await
    }

    /// True for a payload that may not be stored: a flat token with such a name could not be minted.
    fn is_protected(&self, token: &AccessToken, payload: &JsonObject) -> bool {
        (self.check_protected_claims || token.version.is_flat()) && has_protected_claim(token.version, payload)
    }

    /// Mints, and writes the payload, if it is not the stored one.
    async fn attempt(
        &self,
        context: &Context,
        mut tx: Box<dyn Tx>,
        ring: &KeyRing,
        token: &AccessToken,
    ) -> Result<Step<Regenerated>, Fault> {
        let (id, handle) = (&self.scope.app.id, &token.session.handle);
        let found = session::get(tx.as_mut(), id, handle).await;
        let found = found.map_err(|error| Fault::new("loading a session", error))?;
        let now = context.now();
        let Some(mut record) = found.filter(|record| record.family.expires > now) else {
            return Ok(Step::Done(Regenerated::Unauthorised("Session does not exist.")));
        };
        let owner = SessionOwner::of_row(tx.as_mut(), id, &record.user_id).await?;
        let payload = self.payload.instead_of(&record.user_data_in_jwt);
        if payload != record.user_data_in_jwt {
            if self.is_protected(token, &payload) {
                return Ok(Step::Done(Regenerated::ProtectedClaim));
            }
            record.user_data_in_jwt = payload;
            record.log.push(now, EventKind::Regenerated { request_id: self.scope.cause.request_id.clone() });
            session::update(tx.as_mut(), id, handle, &record)
                .map_err(|error| Fault::new("writing a payload", error))?;
        }
        let session = SessionView {
            handle: handle.clone(),
            user_id: owner.user_id,
            recipe_user_id: owner.recipe_user_id,
            user_data_in_jwt: record.user_data_in_jwt,
        };
        if token.expiry < now {
            return Ok(Step::Commit(tx, Regenerated::Ok { session, access_token: None }));
        }
        // The presented expiry is not authenticated: no token of ours may live longer than a new one.
        let latest = now.plus(self.scope.app.config.access_token_validity_ms);
        let new = NewAccessToken { expiry: token.expiry.min(latest), ..same_but_payload(token, &session, now) };
        let minted = match ring.tokens.mint(key_kind(record.family.use_static_key), &new) {
            Ok(minted) => minted,
            Err(MintError::ProtectedClaim) => return Ok(Step::Done(Regenerated::ProtectedClaim)),
            Err(error) => return Err(Fault::new("signing an access token", error)),
        };
        let bytes = minted.token.expose().len();
        match TokenTooLarge::check(bytes, self.max_access_token_bytes, &session.user_data_in_jwt) {
            Some(flaw) => Ok(Step::Done(Regenerated::TooLarge(flaw))),
            None => Ok(Step::Commit(tx, Regenerated::Ok { session, access_token: Some(minted) })),
        }
    }
}

/// The token again, with the same expiry, hashes, anti-CSRF token and layout. The user is taken from the session's row,
/// because the presented token's signature was not checked.
fn same_but_payload<'a>(token: &'a AccessToken, session: &'a SessionView, now: UnixMillis) -> NewAccessToken<'a> {
    NewAccessToken {
        version: token.version,
        handle: &session.handle,
        user_id: &session.user_id,
        recipe_user_id: &session.recipe_user_id,
        refresh_token_hash_1: &token.refresh_token_hash_1,
        parent_refresh_token_hash_1: token.parent_refresh_token_hash_1.as_ref(),
        anti_csrf_token: token.anti_csrf_token.as_deref(),
        user_data: &session.user_data_in_jwt,
        created: now,
        expiry: token.expiry,
    }
}
