//! [`Occupied`]: the keyspaces that may have rows in an index.
//!
//! An application that only uses sessions has no users, yet each of its sessions looks up whether its user id belongs
//! to one. Knowing that a keyspace is empty spares these look-ups a way through sled.

use std::sync::atomic::{AtomicBool, Ordering};

/// One flag per keyspace byte. A flag is set before the first row is written and never cleared.
#[derive(Debug)]
pub(super) struct Occupied([AtomicBool; 256]);

impl Occupied {
    /// Finds the occupied keyspaces of a tree. `first_from` returns the first key that is not less than its argument.
    ///
    /// If that fails, every keyspace counts as occupied: whoever reads the tree then gets the error.
    pub(super) fn probe<E>(first_from: impl Fn(&[u8]) -> Result<Option<u8>, E>) -> Self {
        let occupied = Self([const { AtomicBool::new(false) }; 256]);
        let mut start = 0;
        loop {
            match first_from(&[start]) {
                Ok(Some(keyspace)) => {
                    occupied.mark(&[keyspace]);
                    match keyspace.checked_add(1) {
                        Some(next) => start = next,
                        None => return occupied,
                    }
                }
                Ok(None) => return occupied,
                Err(_) => return Self([const { AtomicBool::new(true) }; 256]),
            }
        }
    }

    /// Records that the keyspace of a physical key is about to get a row.
    pub(super) fn mark(&self, key: &[u8]) {
        if let Some(flag) = self.flag(key) {
            flag.store(true, Ordering::Release);
        }
    }

    /// False if the keyspace of a physical key certainly has no rows.
    pub(super) fn may_have(&self, key: &[u8]) -> bool {
        self.flag(key).is_some_and(|flag| flag.load(Ordering::Acquire))
    }

    fn flag(&self, key: &[u8]) -> Option<&AtomicBool> {
        self.0.get(usize::from(*key.first()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_finds_each_keyspace_once_and_a_failure_hides_none() {
        let there = [0_u8, 3, 4, 255];
        let occupied = Occupied::probe(|from| Ok::<_, ()>(there.iter().copied().find(|byte| *byte >= from[0])));
        for byte in 0..=255 {
            assert_eq!(occupied.may_have(&[byte, 1]), there.contains(&byte), "{byte}");
        }
        occupied.mark(&[7, 7]);
        assert!(occupied.may_have(&[7]));
        assert!(Occupied::probe(|_| Err(())).may_have(&[9]));
    }
}
