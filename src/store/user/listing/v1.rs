//! Lists in their original layout: [`Keyspace::UserListingV1`], with ids as text.
//!
//! A server moves the entries it finds there when it starts, before it serves; so does the import of an archive of that
//! age.

use super::super::index::parse_joined;
use crate::domain::ids::UserId;
use crate::store::key::KeyReader;
use crate::store::walk::Pages;
use crate::store::{CommitError, Engine, Key, Keyspace, StoreError, codec};

/// Keys moved in one transaction.
const STEP: usize = 1000;

/// The key in the current layout; any other key unchanged. A key of the old list that cannot be read stays in that
/// list.
#[must_use]
pub fn current(key: Key) -> Key {
    if key.keyspace != Keyspace::UserListingV1 {
        return key;
    }
    translated(&key, |mut parts| {
        let id = UserId::new(parts.text()?);
        Some(Key::of(Keyspace::UserListing).internal_id(&id))
    })
    .unwrap_or(key)
}

/// The key of a list entry in the original layout.
#[must_use]
pub fn former(key: &Key) -> Option<Key> {
    if key.keyspace != Keyspace::UserListing {
        return None;
    }
    translated(key, |mut parts| Some(Key::of(Keyspace::UserListingV1).text(parts.internal_id()?.as_str())))
}

/// Replaces the ending of a key and moves it to the keyspace of that ending: up to the time joined, both layouts are
/// the same.
fn translated(key: &Key, ending: impl Fn(KeyReader<'_>) -> Option<Key>) -> Option<Key> {
    let mut parts = KeyReader::new(key);
    let (_domain, _app, _tenant, _recipe) = (parts.text()?, parts.text()?, parts.text()?, parts.byte()?);
    parse_joined(&mut parts)?;
    let kept = key.bytes.len() - parts.rest().len();
    let end = ending(parts)?;
    Some(Key { keyspace: end.keyspace, bytes: key.bytes.get(..kept)?.to_vec() }.raw(&end.bytes))
}

/// Moves everything that is still in the old lists. Nothing else may use the store in the meantime; what a crash leaves
/// behind is moved at the next start.
///
/// # Errors
/// When the store fails.
pub async fn upgrade(engine: &dyn Engine) -> Result<(), StoreError> {
    let (mut pages, mut moved) = (Pages::of_keyspace(Keyspace::UserListingV1, STEP), 0_u64);
    loop {
        let mut tx = engine.begin();
        let Some(rows) = pages.rows(tx.as_mut()).await? else { break };
        for (old, _) in rows {
            let new = current(old.clone());
            if new.keyspace == Keyspace::UserListingV1 {
                tracing::warn!(key = %old, "an entry of a list of users cannot be read");
                continue;
            }
            codec::put_marker(tx.as_mut(), new);
            tx.delete(old);
            moved += 1;
        }
        tx.commit().await.map_err(|error| match error {
            CommitError::Store(error) => error,
            CommitError::Conflict => {
                StoreError::Stopped { reason: "lists of users were moved twice at once".to_owned() }
            }
        })?;
    }
    if moved > 0 {
        tracing::info!(entries = moved, "lists of users converted to the current layout");
    }
    Ok(())
}
