//! Dashboard users and their sessions (CDI: dashboard). Their number is not limited.

pub mod session;
pub mod sign_in;
pub mod user;

use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::{AppId, UserId};
use crate::domain::time::UnixMillis;
use crate::fault::Fault;
use crate::store::dashboard::{self, DashboardUserRecord};
use crate::store::{StoreError, Tx};

/// How a dashboard user is named.
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

/// A dashboard user as it is shown to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DashboardUser {
    /// Its id; generated here, never changes.
    pub id: UserId,
    /// Its address: normalised, and unique in the app.
    pub email: String,
    /// When the user was created.
    pub time_joined: UnixMillis,
}

impl From<DashboardUserRecord> for DashboardUser {
    fn from(record: DashboardUserRecord) -> Self {
        let DashboardUserRecord { id, email, time_joined, .. } = record;
        Self { id, email, time_joined }
    }
}

/// An audit event about a dashboard user.
fn event(kind: AuditKind, user: &DashboardUserRecord) -> AuditEvent {
    AuditEvent::of(kind).user(&user.id).login(&user.email)
}

fn reading(error: StoreError) -> Fault {
    Fault::new("reading dashboard users", error)
}

fn writing(error: StoreError) -> Fault {
    Fault::new("writing a dashboard user", error)
}
