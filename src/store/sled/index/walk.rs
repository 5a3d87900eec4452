//! Iterators over many rows.

use super::{Index, Stamped, guarded, is_reserved};
use crate::store::StoreError;

/// Iterates over records in key order.
pub(in crate::store::sled) struct Rows<'a> {
    pub(super) index: &'a Index,
    pub(super) iter: ::sled::Iter,
    pub(super) reverse: bool,
}

impl Iterator for Rows<'_> {
    type Item = Result<(Vec<u8>, Stamped), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let iter = &mut self.iter;
            let reverse = self.reverse;
            let row = guarded(&self.index.path, || {
                let step = if reverse { iter.next_back() } else { iter.next() };
                step.transpose()
            });
            let (key, stored) = match row.transpose()? {
                Ok((_, stored)) if is_reserved(&stored) => continue,
                Ok(row) => row,
                Err(error) => return Some(Err(error)),
            };
            let whole = match self.index.assemble(&key, &stored) {
                // Replaced during the read: the current value will do.
                Ok(None) => self.index.get(&key),
                other => other,
            };
            match whole {
                Ok(Some(value)) => return Some(Ok((key.to_vec(), value))),
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// Looks up keys in ascending order: adjacent ones cost one step instead of a descent of the tree.
pub(in crate::store::sled) struct Cursor<'a> {
    index: &'a Index,
    iter: Option<::sled::Iter>,
    /// The record the iterator has reached.
    at: Option<(::sled::IVec, ::sled::IVec)>,
}

impl<'a> Cursor<'a> {
    /// This many records between two keys are skipped by reading them, rather than by descending the tree again.
    const NEAR: usize = 3;

    pub(in crate::store::sled) fn new(index: &'a Index) -> Self {
        Self { index, iter: None, at: None }
    }

    /// The value at a physical key.
    pub(in crate::store::sled) fn get(&mut self, key: &[u8]) -> Result<Option<Stamped>, StoreError> {
        self.approach(key)?;
        let found = self.at.as_ref().filter(|(at, stored)| at == key && !is_reserved(stored));
        let Some((_, stored)) = found else { return Ok(None) };
        match self.index.assemble(key, stored)? {
            Some(whole) => Ok(Some(whole)),
            // Replaced during the read.
            None => self.index.get(key),
        }
    }

    /// Moves to the first record at or after `key`.
    fn approach(&mut self, key: &[u8]) -> Result<(), StoreError> {
        for _ in 0..=Self::NEAR {
            match &self.at {
                Some((at, _)) if at.as_ref() < key => self.step()?,
                Some(_) => return Ok(()),
                None => break,
            }
        }
        if self.at.as_ref().is_none_or(|(at, _)| at.as_ref() < key) {
            self.iter = Some(self.index.tree.range(key..));
            self.step()?;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), StoreError> {
        let Some(iter) = &mut self.iter else { return Ok(()) };
        self.at = guarded(&self.index.path, || iter.next().transpose())?;
        Ok(())
    }
}
