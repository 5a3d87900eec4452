//! `POST /recipe/session/refresh`.

use crate::command::activity::{Marked, mark_active};
use crate::command::hook::raise;
use crate::command::scope::Scope;
use crate::command::session::ending::end_session;
use crate::command::session::family_rules;
use crate::command::session::issue::{Mint, PairOptions, PairRefused, PairSpec};
use crate::command::session::session_owner::SessionOwner;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::crypto::refresh_token::RefreshToken;
use crate::domain::hook::HookEventKind;
use crate::domain::ids::{SessionHandle, UserId};
use crate::domain::json::JsonObject;
use crate::domain::session::client::{Seen, SessionClients};
use crate::domain::session::event::EventKind;
pub use crate::domain::session::event::ReuseSubtype;
use crate::domain::session::family::{Grant, PresentedToken, RefreshDecision, Reuse};
use crate::domain::session::size::TokenTooLarge;
use crate::domain::session::timeline::Attempts;
use crate::domain::session::{AccessTokenVersion, IssuedSession, RefreshPolicy};
use crate::domain::time::UnixMillis;
use crate::domain::token_hash::TokenHash1;
use crate::domain::usermetadata::merged;
use crate::fault::Fault;
use crate::metrics::RefreshOutcome;
use crate::state::directory::AppEntry;
use crate::state::key::KeyRing;
use crate::store::session::{self, Ending, SessionRecord};
use crate::store::timeline::purge_at;
use crate::store::{Tx, timeline};
use subtle::ConstantTimeEq;

/// Exchanges a refresh token.
pub struct RefreshSession<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The token as presented.
    pub refresh_token: &'a str,
    /// The anti-CSRF token as presented.
    pub anti_csrf_token: Option<&'a str>,
    /// Whether the application uses anti-CSRF tokens.
    pub enable_anti_csrf: bool,
    /// Kind of key from now on; `None` keeps the session's.
    pub use_dynamic_signing_key: Option<bool>,
    /// Lifetime of the access token in ms instead of the configured one, without jitter.
    pub access_token_validity_ms: Option<u64>,
    /// Layout of the access token.
    pub token_version: AccessTokenVersion,
    /// The largest access token that the client can keep, in bytes, if that is limited.
    pub max_access_token_bytes: Option<usize>,
    /// The rules of rotation to apply.
    pub policy: RefreshPolicy,
    /// The browser or app that refreshes.
    pub seen: Seen,
    /// Claims to add to the session's payload, in place of those of the same names; none of them reserved.
    pub added_claims: Option<&'a JsonObject>,
}

/// The outcome of a refresh.
pub enum Refreshed {
    /// New tokens, durably.
    Ok(Box<IssuedSession>),
    /// No session for this token; the protocol's sentence.
    Unauthorised {
        /// The sentence.
        message: &'static str,
        /// `recentTokenReuseSubtype`, when a recent token was reused and the app treats that as signed out.
        subtype: Option<ReuseSubtype>,
    },
    /// A token that had been replaced was presented again.
    TokenTheft {
        /// The session's handle.
        handle: SessionHandle,
        /// The id of its primary user.
        user_id: UserId,
        /// The id of its login method.
        recipe_user_id: UserId,
        /// `recentTokenReuseSubtype`, under `RotateOnRefresh`.
        subtype: Option<ReuseSubtype>,
    },
    /// `access_token_validity_ms` is 0 or above the configured lifetime.
    InvalidAccessTokenValidity {
        /// The configured lifetime.
        max_ms: u64,
    },
    /// The client could not keep the new access token. Nothing was written: the presented token stays valid.
    TooLarge(TokenTooLarge),
}

/// The sentence for a session that is gone or past its end.
const GONE: &str = "Session missing in db or has expired";

impl RefreshSession<'_> {
    /// Exchanges the token and returns the outcome.
    ///
    /// # Errors
    /// When the store or a key fails.
    pub async fn run(self, context: &Context) -> Result<Refreshed, Fault> {
        let outcome = self.exchange(context).await?;
        context.metrics.sessions.refreshed(outcome.figure());
        Ok(outcome)
    }

    async fn exchange(&self, context: &Context) -> Result<Refreshed, Fault> {
        let entry = &self.scope.app;
        if let Some(max_ms) = self.options().broken_limit(&entry.config) {
            return Ok(Refreshed::InvalidAccessTokenValidity { max_ms });
        }
        let ring = context.key_ring_to_mint(entry, self.token_version).await?;
        let Some(token) = ring.open_refresh_token(self.refresh_token) else {
            return Ok(unauthorised("Invalid refresh token"));
        };
        if self.enable_anti_csrf && !self.anti_csrf_matches(&token) {
            return Ok(unauthorised("Anti CSRF token missing, or not matching"));
        }
        let exchange =
            Exchange { command: self, context, ring: &ring, hash: TokenHash1::of(self.refresh_token), token };
        let refreshed = transact(context, &exchange.token.handle, "committing a refresh", |tx| exchange.attempt(tx));
        let (outcome, happened) = refreshed.await?;
        happened.events.iter().for_each(|event| context.metrics.sessions.count(event));
        happened.active.committed();
        Ok(outcome)
    }

    const fn options(&self) -> PairOptions {
        PairOptions {
            anti_csrf: self.enable_anti_csrf,
            access_token_validity_ms: self.access_token_validity_ms,
            token_version: self.token_version,
            max_access_token_bytes: self.max_access_token_bytes,
        }
    }

    /// True unless the token demands another anti-CSRF token than the one presented.
    fn anti_csrf_matches(&self, token: &RefreshToken) -> bool {
        token.anti_csrf_token.as_ref().is_none_or(|demanded| {
            let presented = self.anti_csrf_token.unwrap_or_default();
            presented.as_bytes().ct_eq(demanded.as_bytes()).into()
        })
    }
}

impl Refreshed {
    const fn figure(&self) -> RefreshOutcome {
        match self {
            Self::Ok(_) => RefreshOutcome::Ok,
            Self::Unauthorised { subtype: None, .. } => RefreshOutcome::Unauthorised,
            Self::Unauthorised { subtype: Some(_), .. } => RefreshOutcome::Reuse,
            Self::TokenTheft { .. } => RefreshOutcome::Theft,
            Self::InvalidAccessTokenValidity { .. } | Self::TooLarge(_) => RefreshOutcome::Invalid,
        }
    }
}

const fn unauthorised(message: &'static str) -> Refreshed {
    Refreshed::Unauthorised { message, subtype: None }
}

/// The outcome, and what to do once the transaction is committed.
type Attempted = (Refreshed, Happened);

/// What has happened once the transaction is committed.
struct Happened {
    /// The event in the family.
    events: Vec<EventKind>,
    /// The user's mark of activity.
    active: Marked,
}

impl Happened {
    /// No event that is counted.
    const NOTHING: Self = Self { events: Vec::new(), active: Marked::NOBODY };
}

const fn nothing_to_write(outcome: Refreshed) -> Step<Attempted> {
    Step::Done((outcome, Happened::NOTHING))
}

/// An opened refresh token and what is needed to exchange it.
struct Exchange<'a> {
    command: &'a RefreshSession<'a>,
    context: &'a Context,
    ring: &'a KeyRing,
    hash: TokenHash1,
    token: RefreshToken,
}

impl Exchange<'_> {
    async fn attempt(&self, mut tx: Box<dyn Tx>) -> Result<Step<Attempted>, Fault> {
        let entry = &self.command.scope.app;
        let found = session::get(tx.as_mut(), &entry.id, &self.token.handle).await;
        let Some(record) = found.map_err(|error| Fault::new("loading a session", error))? else {
            return self.after_the_end(tx).await;
        };
        let now = self.context.now();
        let use_static_key = self.command.use_dynamic_signing_key.map(|dynamic| !dynamic);
        let rules = family_rules(&entry.config);
        match record.family.refresh(&self.presented(), self.command.policy, use_static_key, &rules, now) {
            RefreshDecision::Expired => Ok(nothing_to_write(unauthorised(GONE))),
            RefreshDecision::Grant(grant) => {
                let owner = SessionOwner::of_row(tx.as_mut(), &entry.id, &record.user_id).await?;
                self.grant(tx, record, owner, grant, now).await
            }
            RefreshDecision::Reuse(reuse) => {
                let owner = SessionOwner::of_row(tx.as_mut(), &entry.id, &record.user_id).await?;
                self.reuse(tx, record, owner, reuse, now).await
            }
        }
    }

    async fn reuse(
        &self,
        mut tx: Box<dyn Tx>,
        mut record: SessionRecord,
        owner: SessionOwner,
        reuse: Reuse,
        now: UnixMillis,
    ) -> Result<Step<Attempted>, Fault> {
        let scope @ Scope { app: entry, cause } = &self.command.scope;
        let theft = owner.event(HookEventKind::TheftDetected, (&self.token.handle, record.clients.as_ref()));
        let is_recorded = reuse.ends_session || record.log.wants_reuse(now);
        if reuse.is_theft && is_recorded {
            raise(tx.as_mut(), self.context, scope, &theft).await?;
        }
        let outcome = self.reuse_outcome(owner, &reuse);
        let event = reuse.event.of_request(&cause.request_id);
        let handle = &self.token.handle;
        if reuse.ends_session {
            let purge_at = purge_at(entry.config.session_timeline_retention_ms, now);
            let ending = (record, Ending { event, at: now, purge_at });
            end_session(tx.as_mut(), self.context, scope, handle, ending).await?;
        } else if is_recorded {
            record.log.push(now, event);
            session::update(tx.as_mut(), &entry.id, handle, &record)
                .map_err(|error| Fault::new("writing a detected reuse", error))?;
        }
        Ok(Step::Commit(tx, (outcome, Happened::NOTHING)))
    }

    async fn grant(
        &self,
        mut tx: Box<dyn Tx>,
        mut record: SessionRecord,
        owner: SessionOwner,
        mut grant: Grant,
        now: UnixMillis,
    ) -> Result<Step<Attempted>, Fault> {
        let entry = &self.command.scope.app;
        let handle = &self.token.handle;
        let spec = PairSpec {
            parent: Some(&self.hash),
            awaits_use: grant.awaits_use(),
            generation: grant.generation(),
            use_static_key: grant.use_static_key(),
        };
        let mint = Mint::new(self.ring, &entry.config, self.command.options(), self.context.entropy.as_ref(), now);
        if let Some(claims) = self.command.added_claims {
            record.user_data_in_jwt = merged(&record.user_data_in_jwt, claims);
        }
        let pair = match mint.pair(handle, &owner, &record.user_data_in_jwt, &spec)? {
            Ok(pair) => pair,
            Err(PairRefused::ProtectedClaim) => {
                return Ok(nothing_to_write(unauthorised("The user payload contains protected field")));
            }
            Err(PairRefused::TooLarge(flaw)) => return Ok(nothing_to_write(Refreshed::TooLarge(flaw))),
        };
        let events = std::mem::take(&mut grant.events);
        for event in &events {
            record.log.push(now, event.clone());
        }
        record.family = grant.complete(pair.hash.stored());
        record.clients = SessionClients::after_refresh(record.clients, self.command.seen.clone(), now);
        let writing = |error| Fault::new("writing a refresh", error);
        session::update(tx.as_mut(), &entry.id, handle, &record).map_err(writing)?;
        let active = mark_active(tx.as_mut(), self.context, entry, &owner.user_id, now).await.map_err(writing)?;
        let validity = entry.config.refresh_token_validity_ms;
        let issued = pair.issued(handle.clone(), owner, record.user_data_in_jwt, validity);
        Ok(Step::Commit(tx, (Refreshed::Ok(issued), Happened { events, active })))
    }

    /// Counts the attempt on the timeline of the ended session, if that still exists.
    async fn after_the_end(&self, mut tx: Box<dyn Tx>) -> Result<Step<Attempted>, Fault> {
        let AppEntry { id: app, config, .. } = &*self.command.scope.app;
        let now = self.context.now();
        let found = timeline::get(tx.as_mut(), app, &self.token.handle).await;
        let found = found.map_err(|error| Fault::new("loading a timeline", error))?;
        let kept = found.filter(|story| !story.is_expired(config.session_timeline_retention_ms, now));
        let Some(mut story) = kept else { return Ok(nothing_to_write(unauthorised(GONE))) };
        let Some(attempts) = Attempts::with_another(story.attempts, now) else {
            return Ok(nothing_to_write(unauthorised(GONE)));
        };
        story.attempts = Some(attempts);
        timeline::put(tx.as_mut(), app, &self.token.handle, &story)
            .map_err(|error| Fault::new("writing a timeline", error))?;
        Ok(Step::Commit(tx, (unauthorised(GONE), Happened::NOTHING)))
    }

    fn presented(&self) -> PresentedToken {
        PresentedToken {
            hash: self.hash.stored(),
            parent: self.token.parent_refresh_token_hash_1.as_ref().map(TokenHash1::stored),
            generation: self.token.generation,
        }
    }

    fn reuse_outcome(&self, owner: SessionOwner, reuse: &Reuse) -> Refreshed {
        let subtype = (self.command.policy == RefreshPolicy::RotateOnRefresh).then_some(reuse.subtype);
        if reuse.is_theft {
            Refreshed::TokenTheft {
                handle: self.token.handle.clone(),
                user_id: owner.user_id,
                recipe_user_id: owner.recipe_user_id,
                subtype,
            }
        } else {
            Refreshed::Unauthorised { message: "refresh token reuse detected", subtype }
        }
    }
}
