//! Every [`Tally`] of a store.

use super::tally::{self, Tally};
use super::{Engine, Key, Keyspace, StoreError, Tx, activity, user};

const ALL: [&Tally; 2] = [&user::count::USERS, &activity::count::MARKS];

/// Establishes the counters that a store does not have yet. Nothing else may use the store in the meantime.
///
/// # Errors
/// When the store fails. Rows that cannot be read are not counted.
pub async fn establish(engine: &dyn Engine) -> Result<(), StoreError> {
    for tally in ALL {
        tally::establish(engine, tally).await?;
    }
    Ok(())
}

/// True for the notes that counters are maintained. A store that may lack rows (a salvaged folder) must not have them.
#[must_use]
pub fn is_note(key: &Key) -> bool {
    key.keyspace == Keyspace::Meta && ALL.iter().any(|tally| *key == tally.note())
}

/// Writes a row of an archive. Counters are left out, and rows are counted as they arrive, because the version that wrote
/// the archive may have had fewer counters.
///
/// # Errors
/// When the row cannot be read.
pub fn put_arriving(tx: &mut dyn Tx, key: Key, bytes: Vec<u8>) -> Result<(), StoreError> {
    if ALL.iter().any(|tally| tally.counters.contains(&key.keyspace)) {
        return Ok(());
    }
    for tally in ALL.iter().filter(|tally| tally.rows == key.keyspace) {
        (tally.places)(tx.encoding(), &key, &bytes)?.into_iter().for_each(|place| tx.add(place, 1));
    }
    tx.put(key, bytes);
    Ok(())
}
