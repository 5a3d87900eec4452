//! `POST /recipe/user/email/verify/token/remove`.

use super::{Address, failed};
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::fault::Fault;
use crate::store::Tx;

/// Revokes every token for an address in a tenant. A verified address stays verified.
pub struct RevokeVerificationTokens(pub Address);

impl RevokeVerificationTokens {
    /// Revokes the tokens.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<(), Fault> {
        let about = (&self.0.user_id, &self.0.email);
        transact(context, &about, "committing revoked e-mail verification tokens", |tx| self.attempt(tx)).await
    }

    async fn attempt(&self, mut tx: Box<dyn Tx>) -> Result<Step<()>, Fault> {
        let addressee = self.0.addressee();
        if addressee.tokens().series(tx.as_mut()).await.map_err(failed)?.is_none() {
            return Ok(Step::Done(()));
        }
        addressee.tokens().end(tx.as_mut()).await.map_err(failed)?;
        Ok(Step::Commit(tx, ()))
    }
}
