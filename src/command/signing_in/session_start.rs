//! Sessions that begin in the transaction of the sign-up or sign-in (decision 97): whoever is told that they have signed
//! up is signed in, too, and both wait for the disk once.

use super::factors::with_requirements;
use super::linking::Linker;
use super::verification::adopt_verification_in;
use crate::command::activity::{Marked, mark_active};
use crate::command::claims::{ClaimsOwner, NewSessionClaims};
use crate::command::scope::Scope;
use crate::command::session::create::{SessionOptions, begin_session};
use crate::command::user::Person;
use crate::command::usermetadata::UpdateMetadata;
use crate::config::front::FrontConfig;
use crate::context::Context;
use crate::domain::json::JsonObject;
use crate::domain::multifactorauth::FactorsClaim;
use crate::domain::session::IssuedSession;
use crate::fault::Fault;
use crate::state::directory::TenantEntry;
use crate::store::Tx;
use std::sync::Arc;

/// A session that begins with a sign-up or sign-in, in its transaction. For sign-ins that no hook is asked about once
/// the password or code is right: what is outside is never waited for in a transaction.
pub struct SessionStart {
    /// The front door's settings.
    pub front: Arc<FrontConfig>,
    /// The issuer of the front door's tokens.
    pub issuer: String,
    /// The tenant of the sign-in.
    pub tenant: Arc<TenantEntry>,
    /// The factor that is complete with it.
    pub factor: &'static str,
    /// Members for the person's metadata.
    pub metadata: Option<JsonObject>,
    /// What the session is like.
    pub options: SessionOptions,
}

/// Somebody who has signed up or in.
pub struct SignedPerson {
    /// The person.
    pub person: Person,
    /// The session that has begun with it, durably. `None` if none was to begin, or the person has to be linked to
    /// others first, or no token could be made that the client can keep: then nothing of the session is done.
    pub session: Option<Box<IssuedSession>>,
}

/// Somebody who signs up or in with a transaction: call [`Entry::committed`] once that is committed.
#[must_use]
pub(in crate::command) struct Entry {
    signed: SignedPerson,
    active: Marked,
}

impl Entry {
    /// Adds to a transaction that signs a person up or in: the mark of activity, and the session, if one is to begin.
    ///
    /// # Errors
    /// When the store or a key fails, or the tenant is gone.
    pub(in crate::command) async fn add(
        context: &Context,
        tx: &mut dyn Tx,
        scope: &Scope,
        person: Person,
        start: Option<&SessionStart>,
    ) -> Result<Self, Fault> {
        let shown = person.info.user.shown_id();
        let active = mark_active(tx, context, &scope.app, shown, context.now()).await;
        let active = active.map_err(|error| Fault::new("marking a user as active", error))?;
        let signed = match start {
            // In memory of its own: the core's transactions should not grow.
            Some(start) => Box::pin(start.begin(context, tx, scope, person)).await?,
            None => SignedPerson { person, session: None },
        };
        Ok(Self { signed, active })
    }

    /// Records that the transaction is committed.
    pub(in crate::command) fn committed(self, context: &Context) -> SignedPerson {
        self.active.committed();
        if self.signed.session.is_some() {
            context.metrics.sessions.created.inc();
        }
        self.signed
    }
}

impl SessionStart {
    /// Links the person by account infos, as far as this takes nobody else, and begins the session.
    async fn begin(
        &self,
        context: &Context,
        tx: &mut dyn Tx,
        scope: &Scope,
        person: Person,
    ) -> Result<SignedPerson, Fault> {
        let tenant = &self.tenant.id;
        let linker = Linker { scope: scope.clone(), tenant: tenant.clone(), rule: self.front.account_linking };
        let (person, is_settled) = linker.settle(context, tx, person).await?;
        if !is_settled {
            return Ok(SignedPerson { person, session: None });
        }
        let person = adopt_verification_in(context, tx, scope, person).await?;
        if let Some(update) = self.metadata.clone() {
            let user_id = person.info.user.shown_id().clone();
            UpdateMetadata { scope: scope.clone(), user_id, update }.add(tx).await?;
        }
        let payload = self.payload(context, tx, scope, &person).await?;
        let session = begin_session(context, tx, (scope, tenant), (&person, payload), &self.options).await?;
        Ok(SignedPerson { person, session })
    }

    async fn payload(
        &self,
        context: &Context,
        tx: &mut dyn Tx,
        scope: &Scope,
        person: &Person,
    ) -> Result<JsonObject, Fault> {
        let (owner, front) = (ClaimsOwner::of(person, &self.tenant.id), &*self.front);
        let begun = FactorsClaim::begun_with(self.factor, context.now());
        let factors = with_requirements(tx, (scope, front), (&self.tenant, &owner.user_id), begun).await?;
        let claims = NewSessionClaims { scope, front, issuer: &self.issuer, owner: &owner, factors: factors.as_ref() };
        claims.read(context, tx, person.info.is_verified(&owner.recipe_user_id)).await
    }
}
