//! `POST /recipe/user/email/verify/token`.

use super::{Address, failed, require_tenant};
use crate::command::retry::Retry;
use crate::context::Context;
use crate::domain::entropy::random_bytes;
use crate::domain::one_time_token::{self, OneTimeHash};
use crate::domain::secret::Secret;
use crate::domain::token_series::{Series, SeriesId};
use crate::fault::Fault;
use crate::store::emailverification;

/// Makes a token that verifies an address; the newest [`LIVING_MAX`](crate::domain::token_series::LIVING_MAX) live at once.
pub struct CreateVerificationToken {
    /// Whose address; normalised.
    pub address: Address,
    /// How long the token is good, in ms.
    pub lifetime_ms: u64,
}

/// How it ended.
pub enum Created {
    /// The token, to be sent to the address.
    Ok(Secret<String>),
    /// There is nothing to verify.
    AlreadyVerified,
}

impl CreateVerificationToken {
    /// Runs the command.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, app: &Context) -> Result<Created, Fault> {
        let Address { scope, tenant, user_id, email } = &self.address;
        let addressee = self.address.addressee();
        let token = one_time_token::mint(app.entropy.as_ref());
        let hash = OneTimeHash::of(token.expose());
        let new_series = SeriesId(u64::from_le_bytes(random_bytes(app.entropy.as_ref())));
        let mut retry = Retry::new(&app.contention, &(user_id, email));
        loop {
            let mut tx = app.store.begin();
            let tx_ref = tx.as_mut();
            require_tenant(tx_ref, scope, tenant).await?;
            if emailverification::is_verified(tx_ref, &scope.app.id, user_id, email).await.map_err(failed)? {
                return Ok(Created::AlreadyVerified);
            }
            let expires = app.now().plus(self.lifetime_ms);
            let series = addressee.series(tx_ref).await.map_err(failed)?;
            let series = series.unwrap_or(Series::new(new_series));
            addressee.add(tx_ref, &hash, series, expires).map_err(failed)?;
            if retry.commit(tx, "committing an e-mail verification token").await? {
                return Ok(Created::Ok(token));
            }
        }
    }
}
