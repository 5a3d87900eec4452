//! [`Sightings`]: the anomalies that a running server has seen. An attacker can provoke them, so everything here is
//! bounded.

use crate::domain::anomaly::Anomaly;
use crate::domain::ids::AppId;
use crate::domain::text;
use crate::domain::time::UnixMillis;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most subjects that are told apart per anomaly.
pub const MAX_SUBJECTS: usize = 64;
/// The most subjects that are shown.
const MAX_EXAMPLES: usize = 3;
/// The longest subject that is shown, in characters.
const MAX_SUBJECT: usize = 100;
/// How often the example changes, in ms: it is text, and a flood must cost nothing but a counter.
const EXAMPLE_PAUSE_MS: u64 = 1000;
/// How long a sighting is told, in ms.
const TOLD_FOR_MS: u64 = 24 * 3_600_000;

/// The anomalies that were seen since the start.
pub struct Sightings {
    rows: Box<[Mutex<Row>; Anomaly::ALL.len()]>,
    hasher: RandomState,
}

#[derive(Default)]
struct Row {
    count: u64,
    seen: Option<Seen>,
    subjects: HashSet<u64>,
}

/// What is known of an anomaly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// How many times it was seen.
    pub count: u64,
    /// When it was seen first.
    pub first: UnixMillis,
    /// When it was seen last.
    pub last: UnixMillis,
    /// How many subjects it was seen with, such as origins; [`MAX_SUBJECTS`] stands for more.
    pub subjects: usize,
    /// Some of them.
    pub examples: Vec<String>,
    /// The app of a request with it.
    pub app: AppId,
    /// The id of that request.
    pub request_id: String,
    /// When that request came.
    example_at: UnixMillis,
}

/// A request with an anomaly.
#[derive(Debug, Clone, Copy)]
pub struct Sighting<'a> {
    /// The app that it is for.
    pub app: &'a AppId,
    /// Its id.
    pub request_id: &'a str,
    /// What the anomaly is about, such as an origin; never a token or a person's address. Empty for nothing.
    pub subject: &'a str,
}

impl Default for Sightings {
    fn default() -> Self {
        Self { rows: Box::new(std::array::from_fn(|_| Mutex::default())), hasher: RandomState::new() }
    }
}

impl Sightings {
    /// Counts an anomaly.
    pub fn note(&self, anomaly: Anomaly, sighting: Sighting<'_>, now: UnixMillis) {
        let mut row = self.row(anomaly);
        row.count = row.count.saturating_add(1);
        let hash = self.hasher.hash_one(sighting.subject);
        let is_new = !sighting.subject.is_empty() && row.subjects.len() < MAX_SUBJECTS && row.subjects.insert(hash);
        let (count, subjects) = (row.count, row.subjects.len());
        let seen = row.seen.get_or_insert_with(|| Seen {
            count,
            first: now,
            last: now,
            subjects,
            examples: Vec::new(),
            app: sighting.app.clone(),
            request_id: text::escape(sighting.request_id),
            example_at: now,
        });
        (seen.count, seen.subjects, seen.last) = (count, subjects, now);
        if is_new && seen.examples.len() < MAX_EXAMPLES {
            seen.examples.push(shown(sighting.subject));
        }
        if now.0.saturating_sub(seen.example_at.0) >= EXAMPLE_PAUSE_MS {
            seen.example_at = now;
            seen.app.clone_from(sighting.app);
            seen.request_id = text::escape(sighting.request_id);
        }
    }

    /// What was seen of an anomaly in the last day, if it was often enough to be told.
    #[must_use]
    pub fn of(&self, anomaly: Anomaly, now: UnixMillis) -> Option<Seen> {
        let row = self.row(anomaly);
        let seen = row.seen.as_ref().filter(|seen| now.0.saturating_sub(seen.last.0) < TOLD_FOR_MS)?;
        (seen.count >= anomaly.told_from()).then(|| seen.clone())
    }

    fn row(&self, anomaly: Anomaly) -> MutexGuard<'_, Row> {
        // invariant: there is a row for every anomaly, in the order of their declaration
        let [first, ..] = &*self.rows;
        let row = self.rows.get(anomaly as usize).unwrap_or(first);
        row.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Text of a stranger in a form that is fit for a terminal.
fn shown(subject: &str) -> String {
    let mut shown: String = subject.chars().take(MAX_SUBJECT).collect();
    if subject.chars().nth(MAX_SUBJECT).is_some() {
        shown.push('…');
    }
    text::escape(&shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(sightings: &Sightings, subject: &str, now: u64) {
        let sighting = Sighting { app: &AppId::base(), request_id: &format!("r{now}"), subject };
        sightings.note(Anomaly::OriginNotAllowed, sighting, UnixMillis(now));
    }

    #[test]
    fn a_flood_is_counted_and_takes_no_memory() {
        let sightings = Sightings::default();
        for number in 0..10_000 {
            note(&sightings, &format!("https://{number}.example/{}", "x".repeat(1000)), 1000);
        }
        let seen = sightings.of(Anomaly::OriginNotAllowed, UnixMillis(1000)).unwrap();
        assert_eq!((seen.count, seen.subjects, seen.examples.len()), (10_000, MAX_SUBJECTS, MAX_EXAMPLES));
        assert!(seen.examples.iter().all(|example| example.chars().count() <= MAX_SUBJECT + 1));
        assert_eq!(seen.request_id, "r1000");
        sightings.row(Anomaly::OriginNotAllowed).count = u64::MAX;
        note(&sightings, "", 1001);
        assert_eq!(sightings.of(Anomaly::OriginNotAllowed, UnixMillis(1001)).unwrap().count, u64::MAX);
    }

    #[test]
    fn examples_are_recent_and_hold_no_control_characters() {
        let sightings = Sightings::default();
        note(&sightings, "a\u{1b}[31m\n", 1000);
        note(&sightings, "b", 1999);
        let seen = sightings.of(Anomaly::OriginNotAllowed, UnixMillis(2000)).unwrap();
        assert_eq!(
            (seen.examples, seen.request_id),
            (vec!["a\\u{1b}[31m\\n".to_owned(), "b".to_owned()], "r1000".to_owned())
        );
        note(&sightings, "b", 2000);
        assert_eq!(sightings.of(Anomaly::OriginNotAllowed, UnixMillis(2000)).unwrap().request_id, "r2000");
    }

    #[test]
    fn what_was_seen_too_rarely_or_long_ago_is_not_told() {
        let sightings = Sightings::default();
        let sighting = Sighting { app: &AppId::base(), request_id: "r", subject: "" };
        let told = |now| sightings.of(Anomaly::CookiesNotSent, UnixMillis(now)).is_some();
        for (count, is_told) in [(1, false), (2, false), (3, true)] {
            sightings.note(Anomaly::CookiesNotSent, sighting, UnixMillis(count));
            assert_eq!(told(count), is_told, "{count}");
        }
        assert!(told(TOLD_FOR_MS) && !told(TOLD_FOR_MS + 3));
    }

    #[test]
    fn every_anomaly_has_a_row_of_its_own() {
        let sightings = Sightings::default();
        for (place, anomaly) in Anomaly::ALL.into_iter().enumerate() {
            assert_eq!(anomaly as usize, place);
            assert!(sightings.of(anomaly, UnixMillis(0)).is_none());
        }
    }
}
