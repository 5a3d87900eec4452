//! [`Pages`]: the common way to walk over many rows, a page at a time.

use super::codec::{self, Record};
use super::{Key, Keyspace, Scan, StoreError, Tx};

/// The rows of a range, most often those whose keys have a common prefix, in key order. Between two pages others may write: a walk is not a
/// snapshot, and what it has read is not re-checked by a commit.
#[derive(Debug, Clone)]
pub struct Pages {
    next: Option<Key>,
    end: Option<Key>,
    limit: usize,
}

impl Pages {
    /// All rows whose keys begin with `prefix`, `limit` of them at a time.
    #[must_use]
    pub fn of(prefix: Key, limit: usize) -> Self {
        Self { end: prefix.prefix_end(), next: Some(prefix), limit }
    }

    /// All rows of a keyspace, `limit` of them at a time.
    #[must_use]
    pub fn of_keyspace(keyspace: Keyspace, limit: usize) -> Self {
        Self::of(Key::of(keyspace), limit)
    }

    /// All rows from `start` to before `end`, in the same keyspace, `limit` of them at a time.
    #[must_use]
    pub const fn between(start: Key, end: Key, limit: usize) -> Self {
        Self { next: Some(start), end: Some(end), limit }
    }

    /// The same walk from `start` on, where an earlier one stopped; without `start`, from the first row on.
    #[must_use]
    pub fn from(self, start: Option<Key>) -> Self {
        Self { next: start.or(self.next), ..self }
    }

    /// The first key of the next page; `None` after the last one.
    #[must_use]
    pub const fn next_key(&self) -> Option<&Key> {
        self.next.as_ref()
    }

    /// The first key of the next page, for a walk that is continued elsewhere.
    #[must_use]
    pub fn into_next_key(self) -> Option<Key> {
        self.next
    }

    /// Skips everything before `key`.
    pub fn skip_to(&mut self, key: Key) {
        self.next = Some(key);
    }

    /// The next rows; `None` after the last ones.
    ///
    /// # Errors
    /// When the store fails; the page can be requested again.
    pub async fn rows(&mut self, tx: &mut dyn Tx) -> Result<Option<Vec<(Key, Vec<u8>)>>, StoreError> {
        let Some(scan) = self.scan() else { return Ok(None) };
        let rows = tx.scan(&scan).await?;
        self.advance(&rows);
        Ok(Some(rows))
    }

    /// The next rows as records; `None` after the last ones.
    ///
    /// # Errors
    /// When the store fails, or a record is damaged; the page can be requested again.
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
