//! The TOTP recipe's operations (CDI: TOTP). User ids are opaque: no user has to exist.

pub mod check;
pub mod device;
pub(in crate::command) mod import;

use crate::command::scope::Scope;
use crate::context::Context;
use crate::crypto::sealing::{MessageKey, SealingKey};
use crate::domain::ids::{TenantId, UserId};
use crate::domain::totp::TotpSecret;
use crate::fault::{Fault, Gone};
use crate::store::totp::TotpDevice;
use crate::store::{self, StoreError, Tx};

/// Seals and opens the secrets of an app's users.
pub(in crate::command) struct Sealer(MessageKey);

impl Sealer {
    /// The sealer of an app.
    ///
    /// # Errors
    /// When the app's keys cannot be read.
    pub(in crate::command) async fn of(context: &Context, scope: &Scope) -> Result<Self, Fault> {
        let ring = context.key_ring(&scope.app).await?;
        Ok(Self::with(&ring.refresh_sealing))
    }

    /// The sealer of the app with this key.
    pub(in crate::command) fn with(key: &SealingKey) -> Self {
        Self(key.at_rest(b"sessiond totp secret"))
    }

    /// The form in which a user's secret is stored; it opens for that user alone.
    pub(in crate::command) fn seal(&self, context: &Context, user: &UserId, secret: &TotpSecret) -> Vec<u8> {
        self.0.seal_at_rest(user.as_str().as_bytes(), secret.expose(), context.entropy.as_ref())
    }

    fn open(&self, user: &UserId, device: &TotpDevice) -> Result<TotpSecret, Fault> {
        let opened = self.0.open_at_rest(user.as_str().as_bytes(), &device.sealed_secret);
        opened.map(TotpSecret::from_bytes).ok_or(Fault::invariant("opening the secret of an authenticator app"))
    }
}

/// Makes the transaction fail if the app is removed meanwhile, so that nothing it writes outlives the app.
async fn require_app(tx: &mut dyn Tx, scope: &Scope) -> Result<(), Fault> {
    let id = &scope.app.id;
    if store::app::exists(tx, id).await.map_err(failed)? {
        return Ok(());
    }
    Err(Fault::new("writing authenticator apps", Gone { app: id.clone(), tenant: TenantId::public() }))
}

fn failed(error: StoreError) -> Fault {
    Fault::new("reading or writing authenticator apps", error)
}
