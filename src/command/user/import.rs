//! `sessiond users import`: many users with their password hashes, roles, metadata and verified addresses.

use super::prepare::{ImportOutcome, Ready, note, prepare_all, write};
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::entropy::time_ordered_uuid;
use crate::domain::ids::TenantId;
use crate::domain::import::{BadLine, Imported, NewUser};
use crate::domain::time::UnixMillis;
use crate::fault::{Fault, Gone};
use crate::store::user::Taken;
use crate::store::user_import::{self, ImportRecord};
use crate::store::{StoreError, Tx, tenant};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Imports users: as many as possible, in one transaction.
pub struct ImportUsers {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant for users that name no tenants.
    pub tenant: TenantId,
    /// The users, one JSON text each.
    pub lines: Vec<String>,
    /// The step of the import that they make up.
    pub step: ImportStep,
}

/// A step of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportStep {
    /// The id of the import.
    pub import: Uuid,
    /// The number of the step; the first is 0.
    pub step: u64,
}

/// The outcome of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepEnded {
    /// It is done, by this run or by an earlier one. The outcome of each line, in their order.
    Done(Vec<Imported>),
    /// It was done before, with other lines.
    OtherLines,
    /// The store does not know the step before: it is another store, or an older state of it.
    StepsMissing,
}

impl ImportUsers {
    /// Imports the users, unless an earlier run with the same step has done the work.
    ///
    /// A user is imported with everything that belongs to it, or not at all.
    ///
    /// # Errors
    /// When the store fails or a password cannot be hashed: then no user was imported.
    pub async fn run(self, context: &Context) -> Result<StepEnded, Fault> {
        let lines = hash_of(&self.lines);
        // Passwords are hashed before the transaction that counts; a step that is already done costs none.
        if let Some(ended) = self.ended(context.store.begin().as_mut(), &lines).await? {
            return Ok(ended);
        }
        let ready = self.all_ready(context).await?;
        self.write(context, &ready, lines).await
    }

    /// The outcome of this step, if it has already ended; `None` when it is due.
    async fn ended(&self, tx: &mut dyn Tx, lines: &[u8; 32]) -> Result<Option<StepEnded>, Fault> {
        let ImportStep { import, step } = self.step;
        let last = user_import::get(tx, &self.scope.app.id, import).await.map_err(reading)?;
        Ok(match last {
            Some(last) if last.step == step && last.lines == *lines => Some(StepEnded::Done(last.outcomes)),
            Some(last) if last.step == step => Some(StepEnded::OtherLines),
            Some(last) if last.step.checked_add(1) == Some(step) => None,
            None if step == 0 => None,
            _ => Some(StepEnded::StepsMissing),
        })
    }

    /// Parses the lines and hashes passwords.
    async fn all_ready(&self, context: &Context) -> Result<Vec<Result<Ready, BadLine>>, Fault> {
        let now = context.now();
        let parsed: Vec<_> = self.lines.iter().map(|line| self.parse(line, now)).collect();
        // In the order of the lines, so that people who are listed together are also stored together.
        let mut ids: Vec<_> = parsed.iter().map(|_| time_ordered_uuid(&*context.entropy, now)).collect();
        ids.sort_unstable();
        prepare_all(context, &self.scope, parsed.into_iter().zip(ids).collect()).await
    }

    /// Writes users and the step, in one transaction.
    async fn write(
        &self,
        context: &Context,
        ready: &[Result<Ready, BadLine>],
        lines: [u8; 32],
    ) -> Result<StepEnded, Fault> {
        let id = &self.scope.app.id;
        let tenants: BTreeSet<TenantId> =
            ready.iter().flatten().flat_map(|ready| ready.user.tenants()).cloned().collect();
        let tenants = &tenants;
        transact(context, &(id, "import"), "committing imported users", |mut tx| async move {
            if let Some(ended) = self.ended(tx.as_mut(), &lines).await? {
                return Ok(Step::Done(ended));
            }
            for name in tenants {
                if !tenant::exists(tx.as_mut(), id, name).await.map_err(reading)? {
                    return Err(Fault::new("importing users", Gone { app: id.clone(), tenant: name.clone() }));
                }
            }
            let now = context.now();
            let mut outcomes = Vec::with_capacity(ready.len());
            for line in ready {
                outcomes.push(match line {
                    Ok(ready) => self.write_user(context, tx.as_mut(), ready, now).await?,
                    Err(refused) => Imported::Refused(refused.clone()),
                });
            }
            let ImportStep { import, step } = self.step;
            let done = ImportRecord { step, lines, at: now, outcomes };
            user_import::put(tx.as_mut(), id, import, &done).map_err(reading)?;
            if step == 0 {
                user_import::delete_abandoned(tx.as_mut(), id, now).await.map_err(reading)?;
            }
            Ok(Step::Commit(tx, StepEnded::Done(done.outcomes)))
        })
        .await
    }

    fn parse(&self, line: &str, now: UnixMillis) -> Result<NewUser, BadLine> {
        let user = NewUser::parse(line, &self.tenant, now)?;
        let mut tenants = user.methods.iter().flat_map(|method| &method.tenants);
        match tenants.find(|name| self.scope.app.tenant(name).is_none()) {
            Some(unknown) => Err(BadLine(format!("there is no tenant {}", unknown.as_str()))),
            None => Ok(user),
        }
    }

    async fn write_user(
        &self,
        context: &Context,
        tx: &mut dyn Tx,
        ready: &Ready,
        now: UnixMillis,
    ) -> Result<Imported, Fault> {
        let refused = |what: &str| Imported::Refused(BadLine(what.to_owned()));
        Ok(match write(tx, &self.scope.app.id, ready, now).await.map_err(reading)? {
            ImportOutcome::Ok => {
                note(context, tx, &self.scope, ready).await?;
                Imported::Ok
            }
            ImportOutcome::Taken(Taken::Id { .. }) => refused("'userId' is the id of another user"),
            ImportOutcome::Taken(Taken::Identity { tenant, .. } | Taken::Reservation { tenant, .. }) => {
                Imported::Existing { tenant }
            }
            ImportOutcome::Shadows => refused("'userId' is the internal id of another user"),
            ImportOutcome::Refused(what) => refused(&what),
        })
    }
}

/// Forgets an import that is complete or was abandoned.
pub struct EndImport {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The id of the import.
    pub import: Uuid,
}

impl EndImport {
    /// Forgets the import; does nothing if it is unknown.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<(), Fault> {
        let Self { scope, import } = &self;
        transact(context, import, "committing the end of an import", |mut tx| async move {
            tx.delete(user_import::key(&scope.app.id, *import));
            Ok(Step::Commit(tx, ()))
        })
        .await
    }
}

fn hash_of(lines: &[String]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for line in lines {
        hash.update((line.len() as u64).to_be_bytes());
        hash.update(line);
    }
    hash.finalize().into()
}

fn reading(error: StoreError) -> Fault {
    Fault::new("importing users", error)
}
