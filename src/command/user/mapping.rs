//! Callers' own ids for login methods (CDI: user id mapping).

use super::change::{self, Decide, Decision, UserUpdate};
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::UserId;
use crate::domain::session::event::UserChange;
use crate::domain::user::ExternalId;
use crate::fault::Fault;
use crate::store::user::{self, Found, Taken};
use crate::store::user_data::EMAIL_VERIFICATION;
use crate::store::{StoreError, Tx, user_data};
use async_trait::async_trait;

/// How an id is to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdType {
    /// An internal id.
    Internal,
    /// A mapped one.
    External,
    /// Either; internal ones take precedence.
    Any,
}

/// `POST /recipe/userid/map`: maps an external id to a user.
pub struct CreateMapping {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The internal id.
    pub id: UserId,
    /// The external id to map to it.
    pub external: ExternalId,
    /// Whether to map even if there is data under the ids.
    pub force: bool,
    /// Whether verified addresses, if they are the only obstacle, move to the new id (CDI ≥ 4.0).
    pub moves_verification: bool,
}

/// The outcome of creating a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MappingCreated {
    /// The mapping is stored.
    Ok,
    /// No user has this internal id.
    UnknownUser,
    /// One of the two ids is mapped already.
    Exists {
        /// Whether the internal one is.
        internal: bool,
        /// Whether the external one is.
        external: bool,
    },
    /// The external id is also an internal one.
    ExternalIsInternal,
    /// A recipe keeps data under the internal id, which would no longer be found.
    InUse(&'static str),
}

impl CreateMapping {
    /// Creates the mapping and returns the outcome.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<MappingCreated, Fault> {
        change::run(context, &self.scope, &self.id, &self).await
    }

    /// What prevents a mapping that is not forced; or the verified addresses that it has to move.
    async fn obstacle(&self, tx: &mut dyn Tx, shadows: bool) -> Result<Result<bool, MappingCreated>, StoreError> {
        if self.force {
            return Ok(Ok(false));
        }
        if shadows {
            return Ok(Err(MappingCreated::ExternalIsInternal));
        }
        Ok(match user_data::kept_by(tx, &self.scope.app.id, &self.id).await?.as_slice() {
            [] => Ok(false),
            [EMAIL_VERIFICATION] if self.moves_verification => Ok(true),
            [first, ..] => Err(MappingCreated::InUse(first)),
        })
    }
}

#[async_trait]
impl Decide for CreateMapping {
    type Outcome = MappingCreated;

    async fn decide(&self, tx: &mut dyn Tx) -> Result<Decision<MappingCreated>, Fault> {
        let failed = |error| Fault::new("creating a user id mapping", error);
        let app = &self.scope.app.id;
        if let Some(known) = user::find_external(tx, app, &self.external.id).await.map_err(failed)? {
            return Ok(Decision::Done(MappingCreated::Exists { internal: known.id == self.id, external: true }));
        }
        let Some(Found { user: before, id }) = user::find_internal(tx, app, &self.id).await.map_err(failed)? else {
            return Ok(Decision::Done(MappingCreated::UnknownUser));
        };
        let shadows = user::find_internal(tx, app, &self.external.id).await.map_err(failed)?.is_some();
        let moves = match self.obstacle(tx, shadows).await.map_err(failed)? {
            Ok(moves) => moves,
            Err(outcome) => return Ok(Decision::Done(outcome)),
        };
        if before.mapping(&id).is_some() {
            return Ok(Decision::Done(MappingCreated::Exists { internal: true, external: false }));
        }
        let mut after = before.clone();
        after.map(&id, Some(self.external.clone()));
        if let Some(Taken::Id { .. }) = user::taken(tx, app, &[&before], &[&after]).await.map_err(failed)? {
            return Ok(Decision::Done(MappingCreated::Exists { internal: false, external: true }));
        }
        let audit = vec![AuditEvent::of(AuditKind::IdMapped).user(&self.external.id).recipe_user(&id)];
        let renamed = (id, self.external.id.clone());
        let verification_moved = moves.then(|| renamed.clone());
        let activity_moved = (!shadows).then_some(renamed);
        let (before, after) = (vec![before], vec![after]);
        let change = UserUpdate { before, after, verification_moved, activity_moved, audit, ..UserUpdate::default() };
        Ok(Decision::Change(Box::new(change), MappingCreated::Ok))
    }
}

/// `GET /recipe/userid/map`: looks up a mapping.
pub struct FindMapping {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// One of the two ids.
    pub id: UserId,
    /// How to understand the id.
    pub id_type: IdType,
}

/// A mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The internal id.
    pub internal: UserId,
    /// The external id.
    pub external: ExternalId,
}

impl FindMapping {
    /// Returns the mapping; `None` when there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Option<Mapping>, Fault> {
        let Self { scope, id, id_type } = &self;
        let found = transact(context, id, "looking up a user id mapping", |mut tx| async move {
            let found = find(tx.as_mut(), scope, id, *id_type).await?;
            Ok(Step::Commit(tx, found))
        });
        Ok(found.await?.map(|(_, mapping)| mapping))
    }
}

/// `POST /recipe/userid/map/remove`: removes a mapping.
pub struct RemoveMapping {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// One of the two ids.
    pub id: UserId,
    /// How to understand the id.
    pub id_type: IdType,
    /// Whether to remove it even if there is data under the external id; sessions under it end.
    pub force: bool,
}

/// The outcome of removing a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MappingRemoved {
    /// There is no mapping now.
    Ok {
        /// Whether there was one.
        existed: bool,
    },
    /// A recipe keeps data under the external id, which would no longer be found.
    InUse(&'static str),
}

impl RemoveMapping {
    /// Removes the mapping and returns the outcome.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<MappingRemoved, Fault> {
        change::run(context, &self.scope, &self.id, &self).await
    }
}

#[async_trait]
impl Decide for RemoveMapping {
    type Outcome = MappingRemoved;

    async fn decide(&self, tx: &mut dyn Tx) -> Result<Decision<MappingRemoved>, Fault> {
        let failed = |error| Fault::new("removing a user id mapping", error);
        let app = &self.scope.app.id;
        let Some((before, mapping)) = find(tx, &self.scope, &self.id, self.id_type).await? else {
            return Ok(Decision::Done(MappingRemoved::Ok { existed: false }));
        };
        let external = &mapping.external.id;
        // Data under an id that is also internal belongs to the user with that internal id.
        let shadows = user::find_internal(tx, app, external).await.map_err(failed)?.is_some();
        if !self.force && !shadows {
            let kept_by = user_data::kept_by(tx, app, external).await.map_err(failed)?;
            if let Some(first) = kept_by.first() {
                return Ok(Decision::Done(MappingRemoved::InUse(first)));
            }
        }
        let activity_moved = (!shadows).then(|| (external.clone(), mapping.internal.clone()));
        // Sessions would no longer be found under the user: not to list them, and not to end them when the user is
        // deleted. They end even without force, because one may be created at this moment.
        let signed_out = (!shadows).then(|| (UserChange::Unmapping, vec![external.clone()]));
        let audit = vec![AuditEvent::of(AuditKind::IdUnmapped).user(external).recipe_user(&mapping.internal)];
        let change = UserUpdate { activity_moved, signed_out, audit, ..with_mapping(before, &mapping.internal, None) };
        Ok(Decision::Change(Box::new(change), MappingRemoved::Ok { existed: true }))
    }
}

/// `PUT /recipe/userid/external-user-id-info`: sets the note on a mapping.
pub struct SetMappingInfo {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// One of the two ids.
    pub id: UserId,
    /// How to understand the id.
    pub id_type: IdType,
    /// The note; `None` removes it.
    pub info: Option<String>,
}

impl SetMappingInfo {
    /// Stores the note; false when there is no such mapping.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<bool, Fault> {
        change::run(context, &self.scope, &self.id, &self).await
    }
}

#[async_trait]
impl Decide for SetMappingInfo {
    type Outcome = bool;

    async fn decide(&self, tx: &mut dyn Tx) -> Result<Decision<bool>, Fault> {
        let Some((before, Mapping { internal, external })) = find(tx, &self.scope, &self.id, self.id_type).await?
        else {
            return Ok(Decision::Done(false));
        };
        let external = ExternalId { info: self.info.clone(), ..external };
        Ok(Decision::Change(Box::new(with_mapping(before, &internal, Some(external))), true))
    }
}

/// The mapping and the user that it belongs to.
async fn find(
    tx: &mut dyn Tx,
    scope: &Scope,
    id: &UserId,
    id_type: IdType,
) -> Result<Option<(user::Found, Mapping)>, Fault> {
    let app = &scope.app.id;
    let found = match id_type {
        IdType::Internal => user::find_internal(tx, app, id).await,
        IdType::External => user::find_external(tx, app, id).await,
        IdType::Any => user::find(tx, app, id).await,
    };
    let found = found.map_err(|error| Fault::new("looking up a user id mapping", error))?;
    Ok(found.and_then(|found| {
        let external = found.user.mapping(&found.id)?.clone();
        let internal = found.id.clone();
        Some((found, Mapping { internal, external }))
    }))
}

fn with_mapping(before: Found, internal: &UserId, external: Option<ExternalId>) -> UserUpdate {
    let before = before.user;
    let mut after = before.clone();
    after.map(internal, external);
    UserUpdate { before: vec![before], after: vec![after], ..UserUpdate::default() }
}
