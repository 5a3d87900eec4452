//! The job's part: waiting users become users, a batch at a time.
//!
//! A batch is marked first, so that callers see what is in progress; then users are written and their rows deleted in
//! one transaction. A crash before that leaves marked rows, which the next batch takes up; after it nothing is left to
//! take up. So no user is lost, and none is imported twice.

use super::{Sealer, UserReader, complaint, failed};
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::command::user::prepare::{Ready, note, prepare_all, write};
use crate::context::Context;
use crate::domain::import::BadLine;
use crate::domain::import::waiting::BulkStatus;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::bulk_import::{self, BulkImportRecord};
use std::collections::HashSet;
use uuid::Uuid;

/// The most users in one batch, whatever the settings say: few enough for one quick transaction.
pub const MAX_BATCH: usize = 250;

/// The most bytes of users in one batch: far below what one transaction takes.
const BATCH_BYTES: usize = 8 << 20;

/// Imports the users of an app that have waited longest.
pub struct ImportBatch {
    /// The app, and what led to the command.
    pub scope: Scope,
}

/// The outcome of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Number of users imported.
    pub imported: u64,
    /// Number of users that could not be imported.
    pub failed: u64,
}

impl ImportBatch {
    /// Imports a batch; `None` when no users are waiting.
    ///
    /// # Errors
    /// When the store fails or a password cannot be hashed; users that were not imported are taken up again.
    pub async fn run(self, context: &Context) -> Result<Option<Counts>, Fault> {
        let marked = self.mark(context).await?;
        if marked.is_empty() {
            return Ok(None);
        }
        let reader = UserReader::new(context, &self.scope).await?;
        let sealer = Sealer::of(context, &self.scope).await?;
        let mut new = Vec::with_capacity(marked.len());
        for (id, record) in &marked {
            let read = match sealer.open(id, &record.sealed_user) {
                Ok(members) => reader.read(&members, record.created, &mut HashSet::new()),
                Err(damaged) => Err(vec![damaged.to_string()]),
            };
            new.push((read.map_err(|errors| BadLine(errors.join(" "))), *id));
        }
        let ready = prepare_all(context, &self.scope, new).await?;
        let ids = marked.into_iter().map(|(id, _)| id);
        let batch: Vec<_> = ids.zip(ready).collect();
        match self.import(context, &batch).await {
            // One of them has more data than can be stored: so many login methods that their row is too large.
            Err(fault) if fault.too_large().is_some() => self.import_singly(context, batch).await.map(Some),
            counts => counts.map(Some),
        }
    }

    /// Marks the next users: first those that an earlier batch has left.
    async fn mark(&self, context: &Context) -> Result<Vec<(Uuid, BulkImportRecord)>, Fault> {
        let id = &self.scope.app.id;
        let size = usize::try_from(self.scope.app.config.import_batch).unwrap_or(MAX_BATCH).min(MAX_BATCH);
        transact(context, &(id, "bulk import"), "committing a batch of users", |mut tx| async move {
            let mut status = BulkStatus::Processing;
            let mut ids = bulk_import::oldest(tx.as_mut(), id, status, size).await.map_err(failed)?;
            if ids.is_empty() {
                status = BulkStatus::New;
                ids = bulk_import::oldest(tx.as_mut(), id, status, size).await.map_err(failed)?;
            }
            let (mut marked, mut changed, mut bytes) = (Vec::with_capacity(ids.len()), false, 0);
            for user in ids {
                if bytes >= BATCH_BYTES {
                    break;
                }
                let Some(mut record) = bulk_import::get(tx.as_mut(), id, &user).await.map_err(failed)? else {
                    // Imported since the index was read. Were it a leftover, it would be in the way forever.
                    bulk_import::remove(tx.as_mut(), id, &user, status);
                    changed = true;
                    continue;
                };
                if record.status == BulkStatus::New {
                    (record.status, record.updated, changed) = (BulkStatus::Processing, context.now(), true);
                    bulk_import::put(tx.as_mut(), id, &user, Some(BulkStatus::New), &record).map_err(failed)?;
                }
                bytes += record.sealed_user.len();
                marked.push((user, record));
            }
            Ok(match (changed, marked.is_empty()) {
                (false, _) => Step::Done(marked),
                (true, false) => Step::Commit(tx, marked),
                // That all of them were imported meanwhile says nothing about those after them.
                (true, true) => Step::Continue(tx),
            })
        })
        .await
    }

    async fn import(&self, context: &Context, batch: &[(Uuid, Result<Ready, BadLine>)]) -> Result<Counts, Fault> {
        let about = (&self.scope.app.id, "bulk import");
        transact(context, &about, "committing imported users", |mut tx| async move {
            let mut counts = Counts::default();
            for (user, ready) in batch {
                match self.settle(context, tx.as_mut(), user, ready).await? {
                    Some(true) => counts.imported += 1,
                    Some(false) => counts.failed += 1,
                    None => {}
                }
            }
            Ok(Step::Commit(tx, counts))
        })
        .await
    }

    async fn import_singly(
        &self,
        context: &Context,
        batch: Vec<(Uuid, Result<Ready, BadLine>)>,
    ) -> Result<Counts, Fault> {
        let mut counts = Counts::default();
        for one in batch {
            let id = one.0;
            let of_one = match self.import(context, &[one]).await {
                Err(fault) if fault.too_large().is_some() => {
                    let refused = BadLine("The user has more data than can be stored".to_owned());
                    self.import(context, &[(id, Err(refused))]).await?
                }
                of_one => of_one?,
            };
            counts.imported += of_one.imported;
            counts.failed += of_one.failed;
        }
        Ok(counts)
    }

    /// Writes the user and deletes its row, or records in the row why not; returns whether it was imported. `None`: it
    /// was removed or imported meanwhile.
    async fn settle(
        &self,
        context: &Context,
        tx: &mut dyn Tx,
        id: &Uuid,
        ready: &Result<Ready, BadLine>,
    ) -> Result<Option<bool>, Fault> {
        let app_id = &self.scope.app.id;
        let Some(mut record) = bulk_import::get(tx, app_id, id).await.map_err(failed)? else { return Ok(None) };
        let before = record.status;
        if before == BulkStatus::Failed {
            return Ok(None);
        }
        let complaint = match ready {
            Ok(ready) => complaint(ready, write(tx, app_id, ready, context.now()).await.map_err(failed)?),
            Err(BadLine(what)) => Some(what.clone()),
        };
        if let (None, Ok(ready)) = (&complaint, ready) {
            bulk_import::remove(tx, app_id, id, before);
            note(context, tx, &self.scope, ready).await?;
            return Ok(Some(true));
        }
        (record.status, record.error, record.updated) = (BulkStatus::Failed, complaint, context.now());
        bulk_import::put(tx, app_id, id, Some(before), &record).map_err(failed)?;
        Ok(Some(false))
    }
}
