//! [`OutboxState`]: what the job that sends mails keeps in memory.

use crate::domain::ids::AppId;
use crate::domain::mail::{Channel, pause_ms};
use crate::domain::time::SteadyMillis;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use uuid::Uuid;

/// Wakes the job, and knows which servers are not worth trying now and which mails are already gone.
#[derive(Default)]
pub struct OutboxState {
    wake: Notify,
    is_closing: AtomicBool,
    pauses: Mutex<HashMap<(AppId, Channel), Pause>>,
    sent: Mutex<HashSet<(AppId, Uuid)>>,
}

/// The pause of an app, one of whose servers could not be used.
#[derive(Clone, Copy)]
struct Pause {
    failures: u32,
    since: SteadyMillis,
}

impl OutboxState {
    /// Has the mails sent that are due. Call it after the commit that wrote one.
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

    /// Milliseconds left of an app's pause; `None` if its server may be tried.
    pub fn pause_left(&self, app: &AppId, channel: Channel, now: SteadyMillis) -> Option<u64> {
        let pause = *lock(&self.pauses).get(&(app.clone(), channel))?;
        pause.since.age(now).pause_left(pause_ms(pause.failures))
    }

    /// Notes that an app's server could not be used. Of several attempts at once, one counts.
    pub fn pause(&self, app: &AppId, channel: Channel, now: SteadyMillis) {
        let mut pauses = lock(&self.pauses);
        let pause = pauses.entry((app.clone(), channel)).or_insert(Pause { failures: 0, since: now });
        if pause.since.age(now).pause_left(pause_ms(pause.failures)).is_none() {
            *pause = Pause { failures: pause.failures.saturating_add(1), since: now };
        }
    }

    /// Ends an app's pause: its server answered, or an operator wants it tried.
    pub fn resume(&self, app: &AppId, channel: Channel) {
        lock(&self.pauses).remove(&(app.clone(), channel));
    }

    /// Remembers that a mail is sent, until its record is removed.
    pub fn remember_sent(&self, app: &AppId, id: Uuid) {
        lock(&self.sent).insert((app.clone(), id));
    }

    /// Whether a mail is sent and only its record is left.
    pub fn is_sent(&self, app: &AppId, id: Uuid) -> bool {
        lock(&self.sent).contains(&(app.clone(), id))
    }

    /// Forgets a mail whose record is removed.
    pub fn forget_sent(&self, app: &AppId, id: Uuid) {
        lock(&self.sent).remove(&(app.clone(), id));
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
        let (state, app) = (OutboxState::default(), AppId::base());
        let (at, mail) = (SteadyMillis, Channel::Mail);
        state.pause(&app, mail, at(100));
        state.pause(&app, mail, at(101));
        assert_eq!(state.pause_left(&app, mail, at(101)), Some(4_999));
        assert_eq!(state.pause_left(&app, Channel::Text, at(101)), None, "another server");
        assert_eq!(state.pause_left(&app, mail, at(5_100)), None);
        state.pause(&app, mail, at(5_100));
        assert_eq!(state.pause_left(&app, mail, at(5_100)), Some(30_000));
        state.resume(&app, mail);
        assert_eq!(state.pause_left(&app, mail, at(5_100)), None);
    }
}
