//! [`Contention`]: queues for commands whose commits conflict.

use std::hash::{DefaultHasher, Hash, Hasher};
use tokio::sync::Mutex;

/// The number of queues, shared by all commands.
const QUEUES: usize = 64;

/// Queues for commands whose first commit conflicted.
#[derive(Debug)]
pub struct Contention {
    queues: [Mutex<()>; QUEUES],
}

impl Default for Contention {
    fn default() -> Self {
        Self { queues: std::array::from_fn(|_| Mutex::new(())) }
    }
}

impl Contention {
    /// The queue for a command on this subject; many subjects share one.
    pub fn queue(&self, about: &impl Hash) -> Option<&Mutex<()>> {
        let mut hasher = DefaultHasher::new();
        about.hash(&mut hasher);
        self.queues.get(usize::try_from(hasher.finish() % QUEUES as u64).unwrap_or(0))
    }
}
