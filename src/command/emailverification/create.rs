//! `POST /recipe/user/email/verify/token`.

use super::{Address, failed, require_tenant};
use crate::command::outbox::TokenMail;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::entropy::random_bytes;
use crate::domain::one_time_token::{self, OneTimeHash};
use crate::domain::secret::Secret;
use crate::domain::token_series::{Series, SeriesId};
use crate::fault::Fault;
use crate::store::{Tx, emailverification};

/// Creates a token that verifies an address; the newest [`MAX_VALID`](crate::domain::token_series::MAX_VALID) are
/// valid at once.
pub struct CreateVerificationToken {
    /// The user and the address; normalised.
    pub address: Address,
    /// How long the token is valid, in ms.
    pub lifetime_ms: u64,
    /// The mail that brings the token to its owner; without one, the caller does.
    pub mail: Option<TokenMail>,
}

/// The outcome of creating a token.
pub enum Created {
    /// The token, to be sent to the address.
    Ok(Secret<String>),
    /// The address is verified already.
    AlreadyVerified,
}

impl CreateVerificationToken {
    /// Creates the token and returns the outcome.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Created, Fault> {
        let Address { user_id, email, .. } = &self.address;
        let token = one_time_token::mint(context.entropy.as_ref());
        let hash = OneTimeHash::of(token.expose());
        let new_series = SeriesId(u64::from_le_bytes(random_bytes(context.entropy.as_ref())));
        let about = (user_id, email);
        let is_made = transact(context, &about, "committing an e-mail verification token", |tx| {
            self.attempt(context, tx, (&token, &hash), new_series)
        });
        if !is_made.await? {
            return Ok(Created::AlreadyVerified);
        }
        if self.mail.is_some() {
            context.outbox.notify();
        }
        Ok(Created::Ok(token))
    }

    /// `false`: the address is verified already.
    async fn attempt(
        &self,
        context: &Context,
        mut tx: Box<dyn Tx>,
        (token, hash): (&Secret<String>, &OneTimeHash),
        new_series: SeriesId,
    ) -> Result<Step<bool>, Fault> {
        let Address { scope, tenant, user_id, email } = &self.address;
        let addressee = self.address.addressee();
        require_tenant(tx.as_mut(), scope, tenant).await?;
        if emailverification::is_verified(tx.as_mut(), &scope.app.id, user_id, email).await.map_err(failed)? {
            return Ok(Step::Done(false));
        }
        let expires = context.now().plus(self.lifetime_ms);
        let series = addressee.tokens().series(tx.as_mut()).await.map_err(failed)?;
        let series = series.unwrap_or(Series::new(new_series));
        addressee.add(tx.as_mut(), hash, series, expires).map_err(failed)?;
        if let Some(mail) = &self.mail {
            mail.add(context, tx.as_mut(), token.expose(), self.lifetime_ms, expires).await?;
        }
        Ok(Step::Commit(tx, true))
    }
}
