//! `GET /recipe/user/email/verify` and `POST /recipe/user/email/verify/remove`.

use super::{Address, failed};
use crate::command::audit;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::fault::Fault;
use crate::store::{Tx, emailverification, user};

/// Checks whether an address is verified, in the whole app.
pub struct IsEmailVerified(pub Address);

impl IsEmailVerified {
    /// Returns whether the address is verified.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<bool, Fault> {
        let Address { scope, user_id, email, .. } = &self.0;
        let mut tx = context.store.begin();
        emailverification::is_verified(tx.as_mut(), &scope.app.id, user_id, email).await.map_err(failed)
    }
}

/// Marks an address as not verified, in the whole app. Tokens stay valid.
pub struct UnverifyEmail(pub Address);

impl UnverifyEmail {
    /// Removes the verification.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<(), Fault> {
        let about = (&self.0.user_id, &self.0.email);
        transact(context, &about, "committing an e-mail address that is no longer verified", |tx| {
            self.attempt(context, tx)
        })
        .await
    }

    async fn attempt(&self, context: &Context, mut tx: Box<dyn Tx>) -> Result<Step<()>, Fault> {
        let Address { scope, user_id, email, .. } = &self.0;
        let id = &scope.app.id;
        if !emailverification::is_verified(tx.as_mut(), id, user_id, email).await.map_err(failed)? {
            return Ok(Step::Done(()));
        }
        user::verified::unmark(tx.as_mut(), id, user_id, email).await.map_err(failed)?;
        let event = AuditEvent::of(AuditKind::EmailUnverified).user(user_id).login(email);
        audit::note(tx.as_mut(), context, scope, event).await?;
        Ok(Step::Commit(tx, ()))
    }
}
