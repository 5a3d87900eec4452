//! Clients of ended sessions: (domain, app, user, tenant, handle uuid) → [`EndedClientsRecord`], next to the session's
//! timeline and no longer than that. The user comes before the tenant, because they go when the user goes.

use crate::domain::ids::{AppId, SessionHandle, UserId};
use crate::domain::session::client::SessionClients;
use crate::store::walk::Pages;
use crate::store::{Key, Keyspace, StoreError, Tx, codec};
use serde::{Deserialize, Serialize};

/// The clients of an ended session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedClientsRecord {
    /// The clients.
    pub clients: SessionClients,
}

crate::record!(EndedClientsRecord, EndedClients, version 1);

fn user_prefix(app: &AppId, user: &UserId) -> Key {
    Key::of_app(Keyspace::EndedClients, app).user(user)
}

/// The key of an ended session's clients.
#[must_use]
pub fn key(app: &AppId, user: &UserId, handle: &SessionHandle) -> Key {
    user_prefix(app, user).text(handle.tenant.as_str()).raw(handle.uuid.as_bytes())
}

/// The clients of an ended session of this user, if they are known.
///
/// # Errors
/// When the store fails.
pub async fn get(
    tx: &mut dyn Tx,
    app: &AppId,
    user: &UserId,
    handle: &SessionHandle,
) -> Result<Option<SessionClients>, StoreError> {
    let record = codec::get::<EndedClientsRecord>(tx, &key(app, user, handle)).await?;
    Ok(record.map(|record| record.clients))
}

/// Writes the clients of a session of this user that ends.
///
/// # Errors
/// When they are too large.
pub(super) fn put(
    tx: &mut dyn Tx,
    app: &AppId,
    user: &UserId,
    handle: &SessionHandle,
    clients: SessionClients,
) -> Result<(), StoreError> {
    codec::put(tx, key(app, user, handle), &EndedClientsRecord { clients })
}

/// Deletes the clients of all ended sessions of a user. A session that ends meanwhile is a conflict where the caller has
/// ended the user's sessions in the same transaction.
///
/// # Errors
/// When the store fails.
pub(super) async fn remove_user(tx: &mut dyn Tx, app: &AppId, user: &UserId) -> Result<(), StoreError> {
    let mut pages = Pages::of(user_prefix(app, user), 256);
    while let Some(rows) = pages.rows(tx).await? {
        rows.into_iter().for_each(|(key, _)| tx.delete(key));
    }
    Ok(())
}
