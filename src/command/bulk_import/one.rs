//! `POST /bulk-import/import`: one user, at once.

use super::{UserReader, complaint, failed};
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::command::user::UserInfo;
use crate::command::user::prepare::{Ready, note, prepare_all, write};
use crate::context::Context;
use crate::domain::entropy::time_ordered_uuid;
use crate::domain::ids::TenantId;
use crate::domain::import::BadLine;
use crate::domain::json::Members;
use crate::fault::{Fault, Gone};
use crate::store::{self, Tx};
use std::collections::HashSet;

/// Imports a user.
pub struct ImportOne {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The user as the request gave it.
    pub user: Members,
}

/// The outcome of an import.
pub enum Imported {
    /// The user is imported, durably.
    Ok(Box<UserInfo>),
    /// The user cannot be imported; everything that is wrong with it.
    Invalid(Vec<String>),
}

impl ImportOne {
    /// Imports the user and returns the outcome.
    ///
    /// # Errors
    /// When the store fails or the password cannot be hashed.
    pub async fn run(self, context: &Context) -> Result<Imported, Fault> {
        let (id, now) = (&self.scope.app.id, context.now());
        let new = match UserReader::new(context, &self.scope).await?.read(&self.user, now, &mut HashSet::new()) {
            Ok(new) => new,
            Err(errors) => return Ok(Imported::Invalid(errors)),
        };
        let user = vec![(Ok(new), time_ordered_uuid(context.entropy.as_ref(), now))];
        let ready = match prepare_all(context, &self.scope, user).await?.pop() {
            Some(Ok(ready)) => ready,
            Some(Err(BadLine(what))) => return Ok(Imported::Invalid(vec![what])),
            None => return Err(Fault::invariant("importing a user: one in, one out")),
        };
        transact(context, &(id, "bulk import"), "committing an imported user", |tx| self.attempt(context, tx, &ready))
            .await
    }

    async fn attempt(&self, context: &Context, mut tx: Box<dyn Tx>, ready: &Ready) -> Result<Step<Imported>, Fault> {
        let id = &self.scope.app.id;
        if !store::app::exists(tx.as_mut(), id).await.map_err(failed)? {
            return Err(Fault::new("importing a user", Gone { app: id.clone(), tenant: TenantId::public() }));
        }
        let outcome = write(tx.as_mut(), id, ready, context.now()).await.map_err(failed)?;
        if let Some(complaint) = complaint(ready, outcome) {
            // Nothing was written: committing only re-checks what was read.
            return Ok(Step::Commit(tx, Imported::Invalid(vec![complaint])));
        }
        note(context, tx.as_mut(), &self.scope, ready).await?;
        let info = UserInfo::load(tx.as_mut(), id, ready.user.clone()).await.map_err(failed)?;
        Ok(Step::Commit(tx, Imported::Ok(Box::new(info))))
    }
}
