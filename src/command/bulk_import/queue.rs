//! `/bulk-import/users…`: users waiting to be imported.

use super::{Sealer, UserReader, failed};
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::entropy::time_ordered_uuid;
use crate::domain::ids::TenantId;
use crate::domain::import::bulk::without_secrets;
use crate::domain::import::waiting::BulkStatus;
use crate::domain::json::Members;
use crate::domain::time::UnixMillis;
use crate::fault::{Fault, Gone};
use crate::store::bulk_import::{self, BulkImportRecord};
use crate::store::{self, StoreError};
use std::collections::HashSet;
use uuid::Uuid;

/// Queues users for import, all or none of them.
pub struct AddUsers {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The users as the request gave them.
    pub users: Vec<Members>,
}

/// The outcome of queueing users.
pub enum QueueOutcome {
    /// They are queued, durably; their ids, which will be the users' own.
    Ok(Vec<Uuid>),
    /// Some cannot be accepted: their indexes, and everything that is wrong with each.
    Invalid(Vec<(usize, Vec<String>)>),
}

impl AddUsers {
    /// Queues the users and returns the outcome.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<QueueOutcome, Fault> {
        let (id, now) = (&self.scope.app.id, context.now());
        let reader = UserReader::new(context, &self.scope).await?;
        let (mut external_ids, mut invalid) = (HashSet::new(), Vec::new());
        for (place, user) in self.users.iter().enumerate() {
            if let Err(errors) = reader.read(user, now, &mut external_ids) {
                invalid.push((place, errors));
            }
        }
        if !invalid.is_empty() {
            return Ok(QueueOutcome::Invalid(invalid));
        }
        let mut ids: Vec<_> = self.users.iter().map(|_| time_ordered_uuid(context.entropy.as_ref(), now)).collect();
        ids.sort_unstable();
        let sealer = Sealer::of(context, &self.scope).await?;
        let sealed: Vec<_> = ids.iter().zip(&self.users).map(|(id, user)| sealer.seal(context, id, user)).collect();
        let waiting = &ids.iter().zip(&sealed).collect::<Vec<_>>();
        transact(context, &(id, "bulk import"), "committing waiting users", |mut tx| async move {
            if !store::app::exists(tx.as_mut(), id).await.map_err(failed)? {
                return Err(Fault::new("adding users", Gone { app: id.clone(), tenant: TenantId::public() }));
            }
            for (user, sealed_user) in waiting {
                let (status, sealed_user) = (BulkStatus::New, (*sealed_user).clone());
                let record = BulkImportRecord { status, error: None, created: now, updated: now, sealed_user };
                bulk_import::put(tx.as_mut(), id, user, None, &record).map_err(failed)?;
            }
            Ok(Step::Commit(tx, ()))
        })
        .await?;
        context.imports.notify_one();
        Ok(QueueOutcome::Ok(ids))
    }
}

/// Lists users that are waiting or could not be imported, newest first.
pub struct ListUsers {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// Only users with this status; all without.
    pub status: Option<BulkStatus>,
    /// The user to start from.
    pub from: Option<Uuid>,
    /// The most users to return.
    pub limit: usize,
}

/// A user that is waiting or could not be imported.
pub struct Waiting {
    /// Its id.
    pub id: Uuid,
    /// The user as the request gave it, without secrets.
    pub user: Members,
    /// Its status.
    pub status: BulkStatus,
    /// Why it could not be imported.
    pub error: Option<String>,
    /// When it was queued.
    pub created: UnixMillis,
    /// When its status last changed.
    pub updated: UnixMillis,
}

impl ListUsers {
    /// Returns the users, and the id of the first one of the next page.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<(Vec<Waiting>, Option<(Uuid, UnixMillis)>), Fault> {
        let id = &self.scope.app.id;
        let sealer = Sealer::of(context, &self.scope).await?;
        let mut tx = context.store.begin();
        let tx = tx.as_mut();
        let (status, from) = (self.status, self.from.as_ref());
        let ids = bulk_import::newest(tx, id, status, from, self.limit + 1).await.map_err(failed)?;
        let mut users = Vec::with_capacity(ids.len());
        for user in ids {
            // The status may have changed since the index was read.
            let Some(record) = bulk_import::get(tx, id, &user).await.map_err(failed)? else { continue };
            let BulkImportRecord { status, error, created, updated, sealed_user } = record;
            let members = without_secrets(sealer.open(&user, &sealed_user)?);
            users.push(Waiting { id: user, user: members, status, error, created, updated });
        }
        let next = users.get(self.limit).map(|next| (next.id, next.created));
        users.truncate(self.limit);
        Ok((users, next))
    }
}

/// Counts users that are waiting or could not be imported.
pub struct CountUsers {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// Only users with this status; all without.
    pub status: Option<BulkStatus>,
}

impl CountUsers {
    /// Returns the count.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<usize, Fault> {
        let mut tx = context.store.begin();
        bulk_import::count(tx.as_mut(), &self.scope.app.id, self.status).await.map_err(failed)
    }
}

/// Removes users that are waiting or could not be imported. A user imported meanwhile is not touched.
pub struct RemoveUsers {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// Ids of the users to remove.
    pub ids: Vec<Uuid>,
}

impl RemoveUsers {
    /// Removes the users; returns the ids of those that existed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<HashSet<Uuid>, Fault> {
        let (id, ids) = (&self.scope.app.id, &self.ids);
        transact(context, &(id, "bulk import"), "committing removed users", |mut tx| async move {
            let mut removed = HashSet::new();
            for user in ids {
                let record: Result<_, StoreError> = bulk_import::get(tx.as_mut(), id, user).await;
                if let Some(record) = record.map_err(failed)? {
                    bulk_import::remove(tx.as_mut(), id, user, record.status);
                    removed.insert(*user);
                }
            }
            Ok(Step::Commit(tx, removed))
        })
        .await
    }
}
