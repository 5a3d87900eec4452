//! One-time tokens at rest: a row for each token, and for each owner a series that determines which of them are valid.
//!
//! The row of the series has the owner's key, and the index key of each token is that key followed by the token's hash.
//! The series is the point key shared by creation, use and revocation of tokens: each of them reads it and writes it,
//! so that of two concurrent ones one runs again. A token is valid only while the series that it refers to is the
//! current one.
//! that of two that meet one runs again. A token counts only while the series that it names is the current one.

use super::codec::{self, NoPrevious, Record};
use super::{Key, Keyspace, Scan, StoreError, Tx};
use crate::domain::ids::UserId;
use crate::domain::one_time_token::OneTimeHash;
use crate::domain::time::UnixMillis;
use crate::domain::token_series::{Series, SeriesId, is_expired};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::marker::PhantomData;

/// Token rows deleted together with their series: all, unless there are many from before tokens were counted. Any that
/// are left are invalid and are deleted when they expire.
const DELETED_AT_ONCE: usize = 256;

/// A kind of token.
pub trait TokenKind: Debug + Clone + PartialEq + Eq + Send + Sync + 'static {
    /// The keyspace of the tokens.
    const TOKENS: Keyspace;
    /// The keyspace of their series.
    const SERIES: Keyspace;
}

/// A token that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct TokenRecord<K> {
    /// The owner; the kind of token determines which kind of id this is.
    pub user_id: UserId,
    /// The address as it was given.
    pub email: String,
    /// The last moment at which the token is valid.
    pub expires: UnixMillis,
    /// The series in which the token is valid.
    pub series: SeriesId,
    #[serde(skip)]
    kind: PhantomData<K>,
}

impl<K: TokenKind> Record for TokenRecord<K> {
    const KEYSPACE: Keyspace = K::TOKENS;
    const VERSION: u8 = 1;
    type Previous = NoPrevious;

    fn migrate(previous: NoPrevious) -> Self {
        match previous {}
    }
}

impl<K: TokenKind> TokenRecord<K> {
    /// A token of this series.
    #[must_use]
    pub const fn new(user_id: UserId, email: String, expires: UnixMillis, series: SeriesId) -> Self {
        Self { user_id, email, expires, series, kind: PhantomData }
    }
}

/// The valid tokens of an owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct SeriesRecord<K> {
    /// The series with its tokens.
    pub series: Series,
    #[serde(skip)]
    kind: PhantomData<K>,
}

impl<K: TokenKind> Record for SeriesRecord<K> {
    const KEYSPACE: Keyspace = K::SERIES;
    const VERSION: u8 = 2;
    type Previous = SeriesRecordV1<K>;

    fn migrate(SeriesRecordV1 { id, expires, .. }: SeriesRecordV1<K>) -> Self {
        Self::from(Series { id, expires, tokens: Vec::new() })
    }
}

impl<K> From<Series> for SeriesRecord<K> {
    fn from(series: Series) -> Self {
        Self { series, kind: PhantomData }
    }
}

/// [`SeriesRecord`] before tokens were counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct SeriesRecordV1<K> {
    id: SeriesId,
    expires: UnixMillis,
    #[serde(skip)]
    kind: PhantomData<K>,
}

impl<K: TokenKind> Record for SeriesRecordV1<K> {
    const KEYSPACE: Keyspace = K::SERIES;
    const VERSION: u8 = 1;
    type Previous = NoPrevious;

    fn migrate(previous: NoPrevious) -> Self {
        match previous {}
    }
}

/// The owner of a series of tokens.
pub struct Owner<K> {
    series_key: Key,
    tokens: Key,
    kind: PhantomData<K>,
}

impl<K: TokenKind> Owner<K> {
    /// The owner whose series has the key `series_key`, and whose tokens have the key `tokens` followed by their hash.
    #[must_use]
    pub const fn new(series_key: Key, tokens: Key) -> Self {
        Self { series_key, tokens, kind: PhantomData }
    }

    /// The key of the series; every index key of its tokens begins with it.
    #[must_use]
    pub const fn series_key(&self) -> &Key {
        &self.series_key
    }

    fn index_key(&self, hash: &OneTimeHash) -> Key {
        self.series_key.clone().raw(hash.as_bytes())
    }

    fn token_key(&self, hash: &OneTimeHash) -> Key {
        self.tokens.clone().raw(hash.as_bytes())
    }

    /// The series with its valid tokens, if there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn series(&self, tx: &mut dyn Tx) -> Result<Option<Series>, StoreError> {
        Ok(codec::get::<SeriesRecord<K>>(tx, &self.series_key).await?.map(|record| record.series))
    }

    /// Adds a token to the series that it refers to: either the one that [`series`](Self::series) has read, or a new
    /// one. If there are too many, the oldest is removed.
    ///
    /// # Errors
    /// When a key is too long.
    pub fn add(
        &self,
        tx: &mut dyn Tx,
        hash: &OneTimeHash,
        mut series: Series,
        token: &TokenRecord<K>,
    ) -> Result<(), StoreError> {
        if let Some(oldest) = series.add(*hash, token.expires) {
            self.delete(tx, &oldest);
        }
        codec::put(tx, self.series_key.clone(), &SeriesRecord::<K>::from(series))?;
        codec::put_marker(tx, self.index_key(hash));
        codec::put(tx, self.token_key(hash), token)
    }

    /// Ends the series that [`series`](Self::series) has read: none of its tokens is valid any more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end(&self, tx: &mut dyn Tx) -> Result<(), StoreError> {
        self.delete_some(tx, DELETED_AT_ONCE).await
    }

    /// Ends the tokens for addresses that satisfy `is_ended`; the others stay valid.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_where(&self, tx: &mut dyn Tx, is_ended: impl Fn(&str) -> bool) -> Result<(), StoreError> {
        let Some(old) = self.series(tx).await? else { return Ok(()) };
        let (start, end) = (self.series_key.clone(), self.series_key.prefix_end());
        let rows = tx.scan(&Scan { start, end, reverse: false, limit: DELETED_AT_ONCE }).await?;
        if rows.len() == DELETED_AT_ONCE {
            // There may be more, from before tokens were counted, that could not be examined.
            return self.end(tx).await;
        }
        let (mut some_left, mut new) = (false, old.clone());
        for hash in rows.iter().filter_map(|(key, _)| self.hash_in(key)) {
            match codec::get::<TokenRecord<K>>(tx, &self.token_key(&hash)).await? {
                Some(token) if token.series == old.id && !is_ended(&token.email) => some_left = true,
                _ => {
                    new.remove(&hash);
                    self.delete(tx, &hash);
                }
            }
        }
        if !some_left {
            tx.delete(self.series_key.clone());
        } else if new != old {
            codec::put(tx, self.series_key.clone(), &SeriesRecord::<K>::from(new))?;
        }
        Ok(())
    }

    /// Deletes the series with all its tokens, however many there are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove(&self, tx: &mut dyn Tx) -> Result<(), StoreError> {
        // Read so that a token created in the meantime is noticed: a scan alone is not re-checked.
        self.series(tx).await?;
        self.delete_some(tx, usize::MAX).await
    }

    /// Deletes an expired token and, if it was the last one, its series. False if it is still valid.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_expired(
        &self,
        tx: &mut dyn Tx,
        hash: &OneTimeHash,
        token: &TokenRecord<K>,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        if !is_expired(token.expires, now) {
            return Ok(false);
        }
        if self.series(tx).await?.is_some_and(|series| is_expired(series.expires, now)) {
            tx.delete(self.series_key.clone());
        }
        self.delete(tx, hash);
        Ok(true)
    }

    async fn delete_some(&self, tx: &mut dyn Tx, limit: usize) -> Result<(), StoreError> {
        let (start, end) = (self.series_key.clone(), self.series_key.prefix_end());
        for (key, _) in tx.scan(&Scan { start, end, reverse: false, limit }).await? {
            if let Some(hash) = self.hash_in(&key) {
                tx.delete(self.token_key(&hash));
            }
            tx.delete(key);
        }
        Ok(())
    }

    /// The token hash in an index key; `None` for the key of the series.
    fn hash_in(&self, key: &Key) -> Option<OneTimeHash> {
        let rest = key.bytes.get(self.series_key.bytes.len()..)?;
        rest.try_into().ok().map(OneTimeHash::from_bytes)
    }

    fn delete(&self, tx: &mut dyn Tx, hash: &OneTimeHash) {
        tx.delete(self.index_key(hash));
        tx.delete(self.token_key(hash));
    }
}
