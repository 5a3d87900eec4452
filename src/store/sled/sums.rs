//! Counters while a group is made: all additions to one key become one write of the number they come to.
//!
//! The frame holds numbers, not differences, so that replaying it twice comes to the same.

use super::index;
use super::journal::frame;
use super::queue::Add;
use super::view::View;
use crate::store::{Encoding, Key, StoreError, counter};
use std::collections::BTreeMap;

/// The counters of one group.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// Where each stands, and whether the group has added to it (it may only have been looked up).
    counters: BTreeMap<Key, (i64, bool)>,
}

impl Sums {
    /// True if the group adds to `key`.
    pub(super) fn has(&self, key: &Key) -> bool {
        self.counters.get(key).is_some_and(|(_, added)| *added)
    }

    /// Looks up where the counters stand before the group; an error is the fault of these additions alone.
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

    /// Counts additions whose counters were loaded.
    pub(super) fn add(&mut self, adds: &[Add]) {
        for Add { key, delta, .. } in adds {
            if let Some((number, added)) = self.counters.get_mut(key) {
                *number = number.saturating_add(*delta);
                *added = true;
            }
        }
    }

    /// Appends what the counters have come to.
    pub(super) fn push_writes(self, body: &mut Vec<u8>) {
        for (key, (number, _)) in self.counters.into_iter().filter(|(_, (_, added))| *added) {
            let value = counter::encode(Encoding::Binary, &key, number);
            frame::push_write(body, key.keyspace as u8, &key.bytes, value.as_deref());
        }
    }
}
