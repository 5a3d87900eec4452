//! `POST /recipe/user/email/verify`.

use super::{failed, require_tenant};
use crate::command::audit;
use crate::command::scope::Scope;
use crate::command::transact::{Step, transact};
use crate::context::Context;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::one_time_token::OneTimeHash;
use crate::domain::token_series::{Presented, judge};
use crate::fault::Fault;
use crate::store::emailverification::{self, Addressee};
use crate::store::{Tx, user};

/// Uses a token.
pub struct VerifyEmail<'a> {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant of the token; tokens of other tenants are unknown here.
    pub tenant: TenantId,
    /// The token as presented.
    pub token: &'a str,
}

/// The outcome of using a token.
pub enum Verified {
    /// The address is verified in the whole app; every token for it in this tenant is used up.
    Ok {
        /// The user's id, as given when the token was created.
        user_id: UserId,
        /// The address.
        email: String,
    },
    /// Unknown, of another tenant, used, revoked or expired. An expired token uses up the others too.
    InvalidToken,
}

impl VerifyEmail<'_> {
    /// Uses the token and returns the outcome. Of several concurrent runs with tokens of one address, one succeeds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn run(self, context: &Context) -> Result<Verified, Fault> {
        let hash = OneTimeHash::of(self.token);
        transact(context, &hash, "committing a used e-mail verification token", |tx| self.attempt(context, tx, &hash))
            .await
    }

    async fn attempt(
        &self,
        context: &Context,
        mut tx: Box<dyn Tx>,
        hash: &OneTimeHash,
    ) -> Result<Step<Verified>, Fault> {
        let id = &self.scope.app.id;
        require_tenant(tx.as_mut(), &self.scope, &self.tenant).await?;
        let token = emailverification::token(tx.as_mut(), id, &self.tenant, hash).await.map_err(failed)?;
        let Some(token) = token else { return Ok(Step::Done(Verified::InvalidToken)) };
        let addressee = Addressee { app: id, tenant: &self.tenant, user: &token.user_id, email: &token.email };
        let series = addressee.tokens().series(tx.as_mut()).await.map_err(failed)?;
        let now = context.now();
        let outcome = match judge(token.series, token.expires, series.map(|series| series.id), now) {
            Presented::Dead => Verified::InvalidToken,
            Presented::Expired => {
                addressee.tokens().end(tx.as_mut()).await.map_err(failed)?;
                Verified::InvalidToken
            }
            Presented::Good => {
                addressee.tokens().end(tx.as_mut()).await.map_err(failed)?;
                user::verified::mark(tx.as_mut(), id, &token.user_id, &token.email, now).await.map_err(failed)?;
                let event = AuditEvent::of(AuditKind::EmailVerified).user(&token.user_id);
                let event = event.tenant(&self.tenant).login(&token.email);
                audit::note(tx.as_mut(), context, &self.scope, event).await?;
                Verified::Ok { user_id: token.user_id, email: token.email }
            }
        };
        Ok(Step::Commit(tx, outcome))
    }
}
