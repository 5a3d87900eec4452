//! [`Contention`]: where commands queue whose commits conflict.

use std::hash::{DefaultHasher, Hash, Hasher};
use tokio::sync::Mutex;

/// Queues shared by everything that commands are about.
const QUEUES: usize = 64;

/// Where commands wait whose first commit conflicted.
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
    /// The queue of what a command is about; many subjects share one.
    pub fn queue(&self, about: &impl Hash) -> Option<&Mutex<()>> {
        let mut hasher = DefaultHasher::new();
        about.hash(&mut hasher);
        self.queues.get(usize::try_from(hasher.finish() % QUEUES as u64).unwrap_or(0))
    }
}
