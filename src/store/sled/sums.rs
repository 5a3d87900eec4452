//! Counters of a group: all additions to one key become one write of the resulting number.
//!
//! The frame holds numbers, not differences, so that replaying it twice gives the same result.

use super::index;
use super::journal::frame;
use super::queue::Add;
use super::view::View;
use crate::store::{Encoding, Key, StoreError, counter};
use std::collections::BTreeMap;

/// The counters of one group.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// The value of each counter, and whether the group has added to it (it may only have been looked up).
    counters: BTreeMap<Key, (i64, bool)>,
}

impl Sums {
    /// True if the group adds to `key`.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.counters.get(key).is_some_and(|(_, added)| *added)
    }

    /// Looks up the values of the counters before the group; an error concerns only these additions.
    pub(super) fn load(&mut self, view: &View, adds: &[Add]) -> Result<(), StoreError> {
        for Add { key, .. } in adds {
            if !self.counters.contains_key(key) {
                let stored = view.get(&index::physical(key))?.map(|(_, value)| value);
                let number = counter::decode(Encoding::Binary, key, stored.as_deref())?;
                self.counters.insert(key.clone(), (number, false));
            }
        }
        Ok(())
    }

    /// Applies additions to counters that were loaded.
    pub(super) fn add(&mut self, adds: &[Add]) {
        for Add { key, delta, .. } in adds {
            if let Some((number, added)) = self.counters.get_mut(key) {
                *number = number.saturating_add(*delta);
                *added = true;
            }
        }
    }

    /// Appends the resulting values of the counters.
    pub(super) fn push_writes(self, body: &mut Vec<u8>) {
        for (key, (number, _)) in self.counters.into_iter().filter(|(_, (_, added))| *added) {
            let value = counter::encode(Encoding::Binary, &key, number);
            frame::push_write(body, key.keyspace as u8, &key.bytes, value.as_deref());
        }
    }
}
