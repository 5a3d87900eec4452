//! [`BoundedTable`]: what is remembered of accounts and addresses that anybody can invent.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

const SHARDS: usize = 16;
/// Maximum number of entries per shard: what a hash table of 4,096 places holds.
const PER_SHARD: usize = 3_584;
/// The most entries that are dropped for a new one, so that a flood of new ones does not search a shard for each.
const DROPPED_AT_ONCE: usize = PER_SHARD / 16;

/// Maximum number of entries of a table.
pub const CAPACITY: usize = SHARDS * PER_SHARD;

/// Entries by a hash that callers cannot choose.
///
/// If it is full, those with the least weight are dropped, least first. The weight must be what it would cost to gain
/// the entry again: then an attacker cannot free the account under attack by a flood of others, except at that cost for
/// each of the others.
pub struct BoundedTable<V> {
    shards: [Mutex<HashMap<u64, V>>; SHARDS],
}

impl<V> Default for BoundedTable<V> {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl<V: Copy + Default> BoundedTable<V> {
    /// Changes an entry, or the default value where there is none. Entries without a weight are not kept.
    pub fn change<T, W: Ord + Copy>(
        &self,
        key: u64,
        weight: impl Fn(&V) -> Option<W>,
        change: impl FnOnce(&mut V) -> T,
    ) -> T {
        let Some(mut shard) = self.shard(key) else { return change(&mut V::default()) };
        if let Some(value) = shard.get_mut(&key) {
            return change(value);
        }
        let mut value = V::default();
        let changed = change(&mut value);
        if weight(&value).is_some() {
            if shard.len() >= PER_SHARD {
                make_room(&mut shard, weight);
            }
            shard.insert(key, value);
        }
        changed
    }

    /// Removes an entry.
    pub fn remove(&self, key: u64) {
        if let Some(mut shard) = self.shard(key) {
            shard.remove(&key);
        }
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    /// True without entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, key: u64) -> Option<MutexGuard<'_, HashMap<u64, V>>> {
        let [first, ..] = key.to_le_bytes();
        let shard = self.shards.get(usize::from(first) % SHARDS)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Drops entries without a weight; if all have one, those with the least.
fn make_room<V, W: Ord + Copy>(shard: &mut HashMap<u64, V>, weight: impl Fn(&V) -> Option<W>) {
    shard.retain(|_, value| weight(value).is_some());
    if shard.len() < PER_SHARD {
        return;
    }
    let mut weights: Vec<Option<W>> = shard.values().map(&weight).collect();
    let (_, limit, _) = weights.select_nth_unstable(DROPPED_AT_ONCE - 1);
    let (limit, mut dropped) = (*limit, 0);
    shard.retain(|_, value| {
        let is_dropped = dropped < DROPPED_AT_ONCE && weight(value) <= limit;
        dropped += usize::from(is_dropped);
        !is_dropped
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(value: &u64) -> Option<u64> {
        (*value > 0).then_some(*value)
    }

    fn scattered(number: u64) -> u64 {
        number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    #[test]
    fn a_million_entries_take_no_more_room_than_it_has_and_the_heaviest_stay() {
        let table = BoundedTable::<u64>::default();
        for number in 1..=100 {
            table.change(scattered(number), weight, |value| *value = 2);
        }
        for number in 101..=1_000_000 {
            table.change(scattered(number), weight, |value| *value = 1);
        }
        let held = table.len();
        assert!((CAPACITY - SHARDS * DROPPED_AT_ONCE..=CAPACITY).contains(&held), "{held}");
        for number in 1..=100 {
            assert_eq!(table.change(scattered(number), weight, |value| *value), 2, "{number}");
        }
    }

    #[test]
    fn entries_without_a_weight_are_not_kept() {
        let table = BoundedTable::<u64>::default();
        table.change(1, weight, |_| ());
        assert!(table.is_empty());
        for number in 0..CAPACITY as u64 * 2 {
            table.change(scattered(number), weight, |value| *value = 1);
            table.change(scattered(number), weight, |value| *value = 0);
        }
        table.change(7, weight, |value| *value = 3);
        assert!(table.len() <= CAPACITY);
        table.remove(7);
        assert_eq!(table.change(7, weight, |value| *value), 0);
    }
}
