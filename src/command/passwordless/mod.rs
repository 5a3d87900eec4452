//! The passwordless recipe's operations (CDI: passwordless). Messages are sent by the caller: here codes are created
//! and checked.

pub mod attempt;
pub mod consume;
pub mod create;
pub mod find;
pub mod list;
pub mod remove;
pub mod update;

use crate::command::scope::Scope;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::TenantId;
use crate::domain::passwordless::{CodeRules, Contact};
use crate::domain::user::RecipeId;
use crate::fault::Fault;
use crate::store::passwordless::Devices;
use crate::store::user::{self, Found};
use crate::store::{StoreError, Tx};

/// The tenant in which devices are created and used.
pub struct PasswordlessScope {
    /// The app, and what led to the command.
    pub scope: Scope,
    /// The tenant's id.
    pub tenant: TenantId,
    /// The tenant's rules.
    pub rules: CodeRules,
}

impl PasswordlessScope {
    fn devices(&self) -> Devices<'_> {
        Devices { app: &self.scope.app.id, tenant: &self.tenant }
    }

    /// The person who signs in with codes sent to this contact.
    async fn owner(&self, tx: &mut dyn Tx, contact: &Contact) -> Result<Option<Found>, Fault> {
        let app = &self.scope.app.id;
        user::find_identity(tx, app, &self.tenant, RecipeId::Passwordless, &contact.info()).await.map_err(failed)
    }

    /// An audit event about a contact, whoever has it.
    fn event(&self, kind: AuditKind, contact: &Contact) -> AuditEvent {
        AuditEvent::of(kind).tenant(&self.tenant).recipe(RecipeId::Passwordless).login(contact.text())
    }
}

fn failed(error: StoreError) -> Fault {
    Fault::new("reading or writing passwordless sign-ins", error)
}
