//! Dashboard users and their sessions (CDI: dashboard). There is no limit to their number.

pub mod session;
pub mod sign_in;
pub mod user;

use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::{AppId, UserId};
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::store::dashboard::{self, DashboardUserRecord};
use crate::store::{StoreError, Tx};

/// Which dashboard user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Named {
    /// The one with this id.
    Id(UserId),
    /// The one with this address, normalised.
    Email(String),
}

impl Named {
    async fn find(&self, tx: &mut dyn Tx, app: &AppId) -> Result<Option<DashboardUserRecord>, Fault> {
        match self {
            Self::Id(id) => dashboard::user(tx, app, id).await,
            Self::Email(email) => dashboard::user_by_email(tx, app, email).await,
        }
        .map_err(reading)
    }
}

/// A dashboard user as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DashboardUser {
    /// Made here; never changes.
    pub id: UserId,
    /// Normalised; unique in the app.
    pub email: String,
    /// When the user was made.
    pub time_joined: UnixMillis,
}

impl From<DashboardUserRecord> for DashboardUser {
    fn from(record: DashboardUserRecord) -> Self {
        let DashboardUserRecord { id, email, time_joined, .. } = record;
        Self { id, email, time_joined }
    }
}

/// What the audit log says of a dashboard user.
fn event(kind: AuditKind, user: &DashboardUserRecord) -> AuditEvent {
    AuditEvent::of(kind).user(&user.id).login(&user.email)
}

fn reading(error: StoreError) -> Fault {
    Fault::new("reading dashboard users", error)
}

fn writing(error: StoreError) -> Fault {
    Fault::new("writing a dashboard user", error)
}
