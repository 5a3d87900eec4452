//! The e-mail verification recipe's operations (CDI: email verification). User ids are opaque: no user has to exist.

pub mod create;
pub mod revoke;
pub mod status;
pub mod verify;

use crate::command::scope::Scope;
use crate::domain::ids::{TenantId, UserId};
use crate::fault::{Fault, Gone};
use crate::store::emailverification::Addressee;
use crate::store::{StoreError, Tx, tenant};

/// An address of a user, in a tenant.
pub struct Address {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant; the public one for what concerns the whole app.
    pub tenant: TenantId,
    /// The user who has the address.
    pub user_id: UserId,
    /// The address, normalised by the caller where the protocol says so.
    pub email: String,
}

impl Address {
    fn addressee(&self) -> Addressee<'_> {
        Addressee { app: &self.scope.app.id, tenant: &self.tenant, user: &self.user_id, email: &self.email }
    }
}

/// Makes the transaction fail if the tenant is removed meanwhile, so that nothing it writes outlives the tenant.
async fn require_tenant(tx: &mut dyn Tx, scope: &Scope, id: &TenantId) -> Result<(), Fault> {
    if tenant::exists(tx, &scope.app.id, id).await.map_err(failed)? {
        return Ok(());
    }
    Err(Fault::new("verifying an e-mail address", Gone { app: scope.app.id.clone(), tenant: id.clone() }))
}

fn failed(error: StoreError) -> Fault {
    Fault::new("reading or writing e-mail verification", error)
}
