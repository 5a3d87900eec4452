//! A session's timeline: a bounded list of [`Event`]s, and the summary that an operator reads first.

use super::RefreshPolicy;
use super::event::{Event, EventKind, Repeats, ReuseSubtype};
use crate::domain::time::UnixMillis;
use serde::{Deserialize, Serialize};

/// Maximum number of events kept per session: the first, and the newest of the others.
pub const MAX_EVENTS: usize = 32;

/// Events that a bad token could repeat at will are recorded once within this time, in ms; otherwise each repetition
/// would cost a disk write.
const RECORDED_APART_MS: u64 = 60_000;

/// If a call ends the session this soon after a recorded reuse, that counts as the application's reaction to it, in ms:
/// a minute after the last reuse, which may itself have come too soon after the recorded one to be recorded.
const ANSWER_TO_REUSE_MS: u64 = 60_000 + RECORDED_APART_MS;

/// What happened to a session, oldest first, within bounds.
///
/// The first event stays. When the list is full, the oldest *routine* event is dropped, so that a busy session does not
/// forget what was notable; consecutive repetitions are one event with a count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventLog {
    events: Vec<Event>,
    omitted: u64,
}

/// Refresh tokens that came back after the session had ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// The number of attempts; repeats within a short time count once.
    pub count: u32,
    /// When the first one came.
    pub first: UnixMillis,
    /// When the last one that was counted came.
    pub last: UnixMillis,
}

/// The input of a summary.
#[derive(Debug, Clone, Copy)]
pub struct Story<'a> {
    /// The events.
    pub log: &'a EventLog,
    /// End of life unless refreshed; `None` once the session has ended.
    pub expires: Option<UnixMillis>,
    /// Refreshes attempted after the end.
    pub attempts: Option<Attempts>,
}

impl EventLog {
    /// A log whose first entry is `kind`.
    #[must_use]
    pub fn starting_with(at: UnixMillis, kind: EventKind) -> Self {
        Self { events: vec![Event { at, repeats: None, kind }], omitted: 0 }
    }

    /// Appends an entry, or counts it as a repeat of the last one.
    pub fn push(&mut self, at: UnixMillis, kind: EventKind) {
        if let Some(last) = self.events.last_mut()
            && last.kind.repeats(&kind)
        {
            let more = last.repeats.map_or(0, |repeats| repeats.more).saturating_add(1);
            last.repeats = Some(Repeats { more, last: at });
            return;
        }
        if self.events.len() >= MAX_EVENTS {
            self.drop_one();
        }
        self.events.push(Event { at, repeats: None, kind });
    }

    /// The entries, oldest first.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The number of entries that were dropped.
    #[must_use]
    pub const fn omitted(&self) -> u64 {
        self.omitted
    }

    /// False when a reuse has been recorded so recently that another is not worth a write.
    #[must_use]
    pub fn wants_reuse(&self, now: UnixMillis) -> bool {
        self.last_reuse().is_none_or(|last| is_apart(last.last_at(), now))
    }

    fn drop_one(&mut self) {
        let after_first = self.events.iter().skip(1);
        let routine = after_first.clone().position(|event| event.kind.is_routine());
        let dropped = self.events.remove(1 + routine.unwrap_or(0));
        self.omitted += 1 + dropped.repeats.map_or(0, |repeats| u64::from(repeats.more));
    }

    fn last_reuse(&self) -> Option<&Event> {
        self.events.iter().rev().find(|event| matches!(event.kind, EventKind::ReuseDetected { .. }))
    }
}

impl Event {
    /// When it last happened.
    #[must_use]
    pub fn last_at(&self) -> UnixMillis {
        self.repeats.map_or(self.at, |repeats| repeats.last)
    }
}

impl Attempts {
    /// Adds an attempt at `now`; `None` when it comes too soon after the last one to be worth a write.
    #[must_use]
    pub fn with_another(known: Option<Self>, now: UnixMillis) -> Option<Self> {
        match known {
            None => Some(Self { count: 1, first: now, last: now }),
            Some(known) if !is_apart(known.last, now) => None,
            Some(known) => Some(Self { count: known.count.saturating_add(1), last: now, ..known }),
        }
    }
}

impl Story<'_> {
    /// A summary: why the session is in its present state, and what to do if that is bad.
    #[must_use]
    pub fn summary(&self, now: UnixMillis) -> String {
        let mut text = match self.expires {
            Some(expires) => self.while_alive(expires, now),
            None => self.after_end(),
        };
        if let Some(attempts) = self.attempts {
            let times = if attempts.count == 1 { "once".to_owned() } else { format!("{} times", attempts.count) };
            text.push_str(&format!(" After that a refresh was attempted {times}, last at {}.", attempts.last));
        }
        text
    }

    fn while_alive(&self, expires: UnixMillis, now: UnixMillis) -> String {
        if expires < now {
            return format!("Expired at {expires}: it was not refreshed in time, and waits to be removed.");
        }
        match self.log.last_reuse() {
            Some(reuse) => format!(
                "Live until {expires} unless refreshed, although {}; the application was told of a theft at {} and has \
                 not ended the session. {}",
                what_came_back(&reuse.kind),
                reuse.last_at(),
                advice(&reuse.kind),
            ),
            None => match self.log.events().last() {
                Some(last) if last.kind.name() != "created" => {
                    format!("Live until {expires} unless refreshed; last step: {} at {}.", last.kind.name(), last.at)
                }
                _ => format!("Live until {expires} unless refreshed; not refreshed so far."),
            },
        }
    }

    fn after_end(&self) -> String {
        let Some(end) = self.log.events().last() else { return "Ended; nothing more is known.".to_owned() };
        match &end.kind {
            EventKind::Expired => format!("Expired at {}: it was not refreshed in time.", end.at),
            EventKind::ReuseDetected { .. } => {
                format!("Ended at {} because {}. {}", end.at, what_came_back(&end.kind), advice(&end.kind))
            }
            EventKind::Revoked { call, request_id } => {
                let by = by_call(call, request_id);
                match self.log.last_reuse() {
                    Some(reuse) if !reuse.last_at().age(end.at).has_reached(ANSWER_TO_REUSE_MS + 1) => format!(
                        "Ended at {} by {by}, {} after a theft was reported to the application because {}. {}",
                        end.at,
                        duration(reuse.last_at().age(end.at).at_least()),
                        what_came_back(&reuse.kind),
                        advice(&reuse.kind),
                    ),
                    _ => format!("Ended at {} by {by}.", end.at),
                }
            }
            EventKind::RevokedWithUser { change, call, request_id } => {
                let by = by_call(call, request_id);
                format!("Ended at {}: revoked by {}, with {by}.", end.at, change.as_str())
            }
            other => format!("Ended at {} after {}.", end.at, other.name()),
        }
    }
}

/// True when something recorded at `last` may be recorded again.
const fn is_apart(last: UnixMillis, now: UnixMillis) -> bool {
    last.age(now).pause_left(RECORDED_APART_MS).is_none()
}

fn by_call(call: &str, request_id: &str) -> String {
    if request_id.is_empty() { call.to_owned() } else { format!("{call} (request {request_id})") }
}

fn what_came_back(kind: &EventKind) -> String {
    let EventKind::ReuseDetected { subtype, after_ms, .. } = kind else { return "a token came back".to_owned() };
    let late = after_ms.map_or_else(String::new, |ms| format!(" {} after it was replaced", duration(ms)));
    match subtype {
        ReuseSubtype::RecentPrev => format!("the previous refresh token came back{late}"),
        ReuseSubtype::OrphanedBranch => {
            let late =
                after_ms.map_or_else(String::new, |ms| format!(" {} after the other was first used", duration(ms)));
            format!("a second refresh token made from the same parent came back{late}")
        }
        ReuseSubtype::StaleLineage => "a refresh token at least two steps old came back".to_owned(),
    }
}

/// What an operator can do about it.
const fn advice(kind: &EventKind) -> &'static str {
    let EventKind::ReuseDetected { subtype, policy, .. } = kind else { return "" };
    match (subtype, policy) {
        (ReuseSubtype::RecentPrev, RefreshPolicy::RotateOnRefresh | RefreshPolicy::PromoteWithGrace) => {
            "Treat it as theft unless the user's own client retried a refresh after the grace period: then raise \
             refresh_token_rotation_grace_period."
        }
        (ReuseSubtype::RecentPrev, RefreshPolicy::PromoteOnUse) => {
            "Treat it as theft unless the user's own client still had a refresh with the old token in progress: then \
             make its tabs refresh one at a time."
        }
        (ReuseSubtype::OrphanedBranch, _) => {
            "Treat it as theft unless the user's own client refreshed twice at once and kept both answers: then make \
             its tabs refresh one at a time, or raise refresh_token_rotation_grace_period."
        }
        (ReuseSubtype::StaleLineage, _) => {
            "Treat it as theft: only a copy of old tokens (a thief's, or a restored browser profile) does that."
        }
    }
}

fn duration(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{ms} ms"),
        10_000..600_000 => format!("{} s", ms / 1000),
        600_000..36_000_000 => format!("{} min", ms / 60_000),
        _ => format!("{} h", ms / 3_600_000),
    }
}
