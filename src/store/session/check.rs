//! Cross-references: every session row has its index key, every index key its row.

use super::{SessionRecord, index_key, just_after, parse_index_key, parse_row_key, row_key};
use crate::store::{CommitError, Engine, Key, Keyspace, Scan, StoreError, codec};

/// Keys looked at in one go.
const PAGE: usize = 128;
/// Findings described one by one; more are only counted.
const DESCRIBED_MAX: usize = 100;

/// What the walk found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CrossReferences {
    /// Rows seen.
    pub rows: u64,
    /// Index keys seen.
    pub index_keys: u64,
    /// Things that do not fit together.
    pub broken: u64,
    /// The first of them, in words.
    pub described: Vec<String>,
}

impl CrossReferences {
    pub(in crate::store) fn report(&mut self, what: String) {
        self.broken += 1;
        if self.described.len() < DESCRIBED_MAX {
            self.described.push(what);
        }
    }
}

/// Walks all sessions and their index. Works beside live traffic: what looks broken is read again, atomically.
///
/// # Errors
/// When the store fails. A row that cannot be decoded is reported, not an error.
pub async fn check(engine: &dyn Engine) -> Result<CrossReferences, StoreError> {
    let mut found = CrossReferences::default();
    let mut next = Some(Key::of(Keyspace::Session));
    while let Some(start) = next.take() {
        for (key, bytes) in page(engine, start).await? {
            found.rows += 1;
            match codec::decode::<SessionRecord>(engine.encoding(), &key, &bytes) {
                Ok(record) => row_has_index(engine, &key, &record, &mut found).await?,
                Err(error) => found.report(error.to_string()),
            }
            next = Some(just_after(key));
        }
    }
    let mut next = Some(Key::of(Keyspace::SessionByUser));
    while let Some(start) = next.take() {
        for (key, _) in page(engine, start).await? {
            found.index_keys += 1;
            index_has_row(engine, &key, &mut found).await?;
            next = Some(just_after(key));
        }
    }
    Ok(found)
}

async fn page(engine: &dyn Engine, start: Key) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
    let end = Key::of(start.keyspace).prefix_end();
    engine.begin().scan(&Scan { start, end, reverse: false, limit: PAGE }).await
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
            // A row that cannot be decoded was reported by the walk over the rows.
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

/// Two values as of one moment.
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
