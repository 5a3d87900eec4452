//! [`Pages`]: the one way in which many rows are walked over, a page at a time.

use super::codec::{self, Record};
use super::{Key, Keyspace, Scan, StoreError, Tx};

/// The rows whose keys begin in one way, in the order of their keys. Between two pages others may write: a walk is no
/// snapshot, and what it has read is not part of what a commit checks.
#[derive(Debug, Clone)]
pub struct Pages {
    next: Option<Key>,
    end: Option<Key>,
    limit: usize,
}

impl Pages {
    /// All rows that begin with `prefix`, `limit` of them at a time.
    #[must_use]
    pub fn of(prefix: Key, limit: usize) -> Self {
        Self { end: prefix.prefix_end(), next: Some(prefix), limit }
    }

    /// All rows of a keyspace, `limit` of them at a time.
    #[must_use]
    pub fn of_keyspace(keyspace: Keyspace, limit: usize) -> Self {
        Self::of(Key::of(keyspace), limit)
    }

    /// The same from `start` on, where an earlier walk stopped; without it from the first row on.
    #[must_use]
    pub fn from(self, start: Option<Key>) -> Self {
        Self { next: start.or(self.next), ..self }
    }

    /// Where the next page begins; `None` after the last one.
    #[must_use]
    pub const fn next_key(&self) -> Option<&Key> {
        self.next.as_ref()
    }

    /// Where the next page begins, for a walk that goes on elsewhere.
    #[must_use]
    pub fn into_next_key(self) -> Option<Key> {
        self.next
    }

    /// Leaves out what lies before `key`.
    pub fn skip_to(&mut self, key: Key) {
        self.next = Some(key);
    }

    /// The next rows; `None` after the last ones.
    ///
    /// # Errors
    /// When the store fails; the page can be asked for again.
    pub async fn rows(&mut self, tx: &mut dyn Tx) -> Result<Option<Vec<(Key, Vec<u8>)>>, StoreError> {
        let Some(scan) = self.scan() else { return Ok(None) };
        let rows = tx.scan(&scan).await?;
        self.advance(&rows);
        Ok(Some(rows))
    }

    /// The next rows as records; `None` after the last ones.
    ///
    /// # Errors
    /// When the store fails, or a record is damaged; the page can be asked for again.
    pub async fn records<R: Record>(&mut self, tx: &mut dyn Tx) -> Result<Option<Vec<(Key, R)>>, StoreError> {
        let Some(scan) = self.scan() else { return Ok(None) };
        let records = codec::scan(tx, &scan).await?;
        self.advance(&records);
        Ok(Some(records))
    }

    fn scan(&self) -> Option<Scan> {
        let start = self.next.clone()?;
        Some(Scan { start, end: self.end.clone(), reverse: false, limit: self.limit })
    }

    fn advance<T>(&mut self, page: &[(Key, T)]) {
        let is_full = page.len() >= self.limit;
        self.next = page.last().filter(|_| is_full).map(|(last, _)| last.successor());
    }
}
