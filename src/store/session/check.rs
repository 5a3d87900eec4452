//! Cross-references: every session row has its index key, and every index key its row.

use super::{SessionRecord, index_key, parse_index_key, parse_row_key, row_key};
use crate::store::cross_references::{CrossReferences, Rows};
use crate::store::{CommitError, Engine, Key, Keyspace, StoreError, codec};

/// Walks all sessions and their index. Works while the server runs: what looks broken is read again, atomically.
///
/// # Errors
/// When the store fails. A row that cannot be decoded is reported, not an error.
pub async fn check(engine: &dyn Engine) -> Result<CrossReferences, StoreError> {
    let mut found = CrossReferences::default();
    let mut rows = Rows::of(engine, Keyspace::Session);
    while let Some((key, bytes)) = rows.advance().await? {
        found.rows += 1;
        match codec::decode::<SessionRecord>(engine.encoding(), &key, &bytes) {
            Ok(record) => row_has_index(engine, &key, &record, &mut found).await?,
            Err(error) => found.report(error.to_string()),
        }
    }
    let mut keys = Rows::of(engine, Keyspace::SessionByUser);
    while let Some((key, _)) = keys.advance().await? {
        found.index_keys += 1;
        index_has_row(engine, &key, &mut found).await?;
    }
    Ok(found)
}

async fn row_has_index(
    engine: &dyn Engine,
    key: &Key,
    record: &SessionRecord,
    found: &mut CrossReferences,
) -> Result<(), StoreError> {
    let Some((app, handle)) = parse_row_key(key) else {
        found.report(format!("{key}: not the key of a session"));
        return Ok(());
    };
    let index = index_key(&app, &record.user_id, &handle);
    if let [Some(_), None] = read_both(engine, [key, &index]).await? {
        found.report(format!("session {handle} of app {}: its user's index does not list it", app.app_id));
    }
    Ok(())
}

async fn index_has_row(engine: &dyn Engine, key: &Key, found: &mut CrossReferences) -> Result<(), StoreError> {
    let Some((app, handle)) = parse_index_key(key) else {
        found.report(format!("{key}: not the key of an index entry"));
        return Ok(());
    };
    let row = row_key(&app, &handle);
    match read_both(engine, [key, &row]).await? {
        [Some(_), None] => {
            found.report(format!("an index lists session {handle} of app {}, which is gone", app.app_id))
        }
        [Some(_), Some(bytes)] => {
            // A row that cannot be decoded was already reported by the walk over the rows.
            if let Ok(record) = codec::decode::<SessionRecord>(engine.encoding(), &row, &bytes)
                && index_key(&app, &record.user_id, &handle) != *key
            {
                found.report(format!("session {handle} of app {} is listed for another user", app.app_id));
            }
        }
        [None, _] => {}
    }
    Ok(())
}

/// Reads two values as of one moment.
async fn read_both(engine: &dyn Engine, keys: [&Key; 2]) -> Result<[Option<Vec<u8>>; 2], StoreError> {
    loop {
        let mut tx = engine.begin();
        let values = [tx.get(keys[0]).await?, tx.get(keys[1]).await?];
        match tx.commit().await {
            Ok(()) => return Ok(values),
            Err(CommitError::Conflict) => {}
            Err(CommitError::Store(error)) => return Err(error),
        }
    }
}
