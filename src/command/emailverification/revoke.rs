//! `POST /recipe/user/email/verify/token/remove`.

use super::{Address, failed};
use crate::command::retry::Retry;
use crate::context::Context;
use crate::fault::Fault;

/// Makes every token for an address in a tenant worthless. A mark stays.
pub struct RevokeVerificationTokens(pub Address);

impl RevokeVerificationTokens {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &Context) -> Result<(), Fault> {
        let addressee = self.0.addressee();
        let mut retry = Retry::new(&app.contention, &(&self.0.user_id, &self.0.email));
        loop {
            let mut tx = app.store.begin();
            if addressee.series(tx.as_mut()).await.map_err(failed)?.is_none() {
                return Ok(());
            }
            addressee.end(tx.as_mut()).await.map_err(failed)?;
            if retry.commit(tx, "committing revoked e-mail verification tokens").await? {
                return Ok(());
            }
        }
    }
}
