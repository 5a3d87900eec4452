//! [`OutboxState`]: what a job that sends messages keeps in memory.

use crate::domain::delivery::pause_ms;
use crate::domain::hook::EventHookId;
use crate::domain::ids::AppId;
use crate::domain::mail::Channel;
use crate::domain::time::SteadyMillis;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use uuid::Uuid;

/// The outbox of mails and text messages: each app has a server per channel.
pub type MailOutbox = OutboxState<(AppId, Channel), (AppId, Uuid)>;
/// The outbox of events: each app has hooks.
pub type EventOutbox = OutboxState<(AppId, EventHookId), (AppId, EventHookId, Uuid)>;

/// Wakes the job, and knows which servers `S` are not worth trying now and which messages `M` are already gone.
pub struct OutboxState<S, M> {
    wake: Notify,
    is_closing: AtomicBool,
    pauses: Mutex<HashMap<S, Pause>>,
    sent: Mutex<HashSet<M>>,
}

impl<S, M> Default for OutboxState<S, M> {
    fn default() -> Self {
        Self {
            wake: Notify::default(),
            is_closing: AtomicBool::default(),
            pauses: Mutex::default(),
            sent: Mutex::default(),
        }
    }
}

/// The pause of a server that could not be used.
#[derive(Clone, Copy)]
struct Pause {
    failures: u32,
    since: SteadyMillis,
}

impl<S: Eq + Hash, M: Eq + Hash> OutboxState<S, M> {
    /// Has the messages sent that are due. Call it after the commit that wrote one.
    pub fn notify(&self) {
        self.wake.notify_one();
    }

    /// Waits for [`notify`](Self::notify).
    pub async fn notified(&self) {
        self.wake.notified().await;
    }

    /// Ends the sending: what is under way is finished, and nothing else is begun.
    pub fn close(&self) {
        self.is_closing.store(true, Ordering::Release);
        self.notify();
    }

    /// Whether the sending has ended.
    pub fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    /// Milliseconds left of a server's pause; `None` if it may be tried.
    pub fn pause_left(&self, server: &S, now: SteadyMillis) -> Option<u64> {
        let pause = *lock(&self.pauses).get(server)?;
        pause.since.age(now).pause_left(pause_ms(pause.failures))
    }

    /// Notes that a server could not be used. Of several attempts at once, one counts.
    pub fn pause(&self, server: S, now: SteadyMillis) {
        let mut pauses = lock(&self.pauses);
        let pause = pauses.entry(server).or_insert(Pause { failures: 0, since: now });
        if pause.since.age(now).pause_left(pause_ms(pause.failures)).is_none() {
            *pause = Pause { failures: pause.failures.saturating_add(1), since: now };
        }
    }

    /// Ends a server's pause: it answered, or an operator wants it tried.
    pub fn resume(&self, server: &S) {
        lock(&self.pauses).remove(server);
    }

    /// Remembers that a message is sent, until its record is removed.
    pub fn remember_sent(&self, message: M) {
        lock(&self.sent).insert(message);
    }

    /// Whether a message is sent and only its record is left.
    pub fn is_sent(&self, message: &M) -> bool {
        lock(&self.sent).contains(message)
    }

    /// Forgets a message whose record is removed.
    pub fn forget_sent(&self, message: &M) {
        lock(&self.sent).remove(message);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_at_once_count_as_one_and_a_success_ends_the_pause() {
        let (state, at) = (OutboxState::<&str, u8>::default(), SteadyMillis);
        state.pause("mail", at(100));
        state.pause("mail", at(101));
        assert_eq!(state.pause_left(&"mail", at(101)), Some(4_999));
        assert_eq!(state.pause_left(&"text", at(101)), None, "another server");
        assert_eq!(state.pause_left(&"mail", at(5_100)), None);
        state.pause("mail", at(5_100));
        assert_eq!(state.pause_left(&"mail", at(5_100)), Some(30_000));
        state.resume(&"mail");
        assert_eq!(state.pause_left(&"mail", at(5_100)), None);
    }
}
